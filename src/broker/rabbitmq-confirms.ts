import type { ChannelModel } from 'amqplib'
import type { PacketRef } from '../domain/packet.ts'
import type { Place } from '../domain/ports.ts'
import { socketOf, within } from './rabbitmq-connection.ts'
import { encode, type Letter, queueName } from './rabbitmq-topology.ts'

export type Mail = { place: Place; letter: Letter }

export const mailOf = ({ id, queue, priority }: PacketRef): Mail => ({
  place: { queue, priority },
  letter: { packet: id },
})

/** What became of a round of mail. What is in neither list was not confirmed in time, or its channel closed. */
export type Receipt = { routed: Mail[]; unroutable: Mail[]; gaveUp: boolean }

export type ConfirmingChannel = {
  /** Resolves when the broker has judged each of them, at the latest when `giveUp` aborts. Never rejects. */
  send(round: readonly Mail[], giveUp: AbortSignal): Promise<Receipt>
}

/**
 * A channel that tells confirmed from routed: RabbitMQ confirms a message that it could not route as well, after
 * having returned it. When a message is refused, another takes its place before the next round: a channel of RabbitMQ
 * 3.10 that first meets a queue when its leader has just died knows only that leader, and refuses everything for
 * that queue for as long as the leader's node is away.
 */
export async function openConfirmingChannel(
  model: ChannelModel,
  onClose: () => void,
): Promise<ConfirmingChannel> {
  let channel = await openChannel(model, onClose)
  return {
    async send(round, giveUp) {
      const receipt = await channel.send(round, giveUp)
      if (channel.hasRefused()) await renew()
      return receipt
    },
  }

  async function renew() {
    const refusing = channel
    try {
      channel = await openChannel(model, onClose)
      refusing.close()
    } catch {
      // The connection is going, which closes the one we have; or the next round tries once more.
    }
  }
}

async function openChannel(model: ChannelModel, onClose: () => void) {
  const channel = await within(model.createConfirmChannel(), 'open a channel')
  const returned = new Set<string>()
  let sent = 0
  let refused = false
  channel.on('error', () => {}) // followed by 'close'
  channel.on('close', onClose)
  channel.on('nack', () => {
    refused = true
  })
  channel.on('return', ({ properties }) => returned.add(String(properties.messageId)))
  return { send, hasRefused: () => refused, close }

  function close() {
    channel.off('close', onClose)
    channel.close().catch(() => {}) // it has gone with its connection
  }

  async function send(round: readonly Mail[], giveUp: AbortSignal): Promise<Receipt> {
    const receipt: Receipt = { routed: [], unroutable: [], gaveUp: false }
    if (round.length === 0) return receipt
    return new Promise((resolve) => {
      const late = () => resolve({ ...receipt, gaveUp: true })
      giveUp.addEventListener('abort', late, { once: true })
      let open = round.length
      gatherWrites(model)
      for (const mail of round) post(mail, (verdict) => settle(mail, verdict))

      function settle(mail: Mail, verdict: Verdict) {
        if (verdict !== 'lost') receipt[verdict].push(mail)
        open -= 1
        if (open > 0) return
        giveUp.removeEventListener('abort', late)
        resolve(receipt)
      }
    })
  }

  function post({ place, letter }: Mail, judged: (verdict: Verdict) => void) {
    // Not the packet's number: of two copies of a message one may be returned and the other not.
    const messageId = String(++sent)
    const { type, content } = encode(letter)
    const options = { mandatory: true, persistent: true, messageId, type }
    try {
      channel.publish('', queueName(place), content, options, (error) => {
        const wasReturned = returned.delete(messageId)
        judged(error ? 'lost' : wasReturned ? 'unroutable' : 'routed')
      })
    } catch {
      judged('lost') // thrown when the channel is closed
    }
  }
}

type Verdict = 'routed' | 'unroutable' | 'lost'

/**
 * Lets everything that is published in this turn go out in one write instead of one each, a third of the client's
 * processor time. The library writes in the next turn but one.
 */
function gatherWrites(model: ChannelModel) {
  const socket = socketOf(model)
  socket?.cork()
  setImmediate(() => setImmediate(() => socket?.uncork()))
}
