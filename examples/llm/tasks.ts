import { defineTask, NonRetryableError, RetryLaterError } from 'millrace'
import { z } from 'zod'

const service = process.env.LLM_URL ?? 'http://127.0.0.1:11434/v1/chat/completions'

/**
 * Asks a language model that streams its answer. Such calls are slow, dear and often refused for being too many: a time
 * limit, few attempts, a pause of the service's choice, and an end as soon as nobody wants the answer any more.
 */
export const ask = defineTask({
  type: 'llm.ask',
  input: z.object({ model: z.string(), prompt: z.string(), mostTokens: z.number().default(1_000) }),
  maxAttempts: 4,
  timeoutMs: 120_000,
  async run({ model, prompt, mostTokens }, { signal, progress }) {
    const body = {
      model,
      stream: true,
      max_tokens: mostTokens,
      messages: [{ role: 'user', content: prompt }],
    }
    const response = await fetch(service, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${process.env.LLM_KEY ?? ''}` },
      body: JSON.stringify(body),
      signal, // aborts when the task is canceled or its time is over, and with it the model stops
    })
    if (response.status === 429)
      throw new RetryLaterError('the model is busy', {
        delayMs: 1000 * (Number(response.headers.get('retry-after')) || 10),
      })
    if (response.status >= 500) throw new Error(`the model answered ${response.status}`)
    if (!response.ok || !response.body)
      throw new NonRetryableError(`the model refused: ${await response.text()}`)
    let answer = ''
    let tokens = 0
    for await (const token of tokensIn(response.body)) {
      answer += token
      tokens++
      progress(tokens, mostTokens, answer.slice(-80)) // as often as there is something to say: it costs nothing
    }
    return { answer, tokens }
  },
})

/** The tokens of a stream of server-sent events. */
async function* tokensIn(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = ''
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (!line.startsWith('data: ') || line === 'data: [DONE]') continue
      const chunk = JSON.parse(line.slice(6)) as { choices: { delta: { content?: string } }[] }
      yield chunk.choices[0]?.delta.content ?? ''
    }
  }
}
