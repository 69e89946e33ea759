import { EmbeddedError, startEmbedded } from '../../src/embedded/index.ts'

// A process that brings the server of a data directory up, says where it is, and stops when it is told to.

const [dataDir = ''] = process.argv.slice(2)
try {
  const server = await startEmbedded({ dataDir, settings: { fsync: 'off' } })
  process.on('SIGTERM', async () => {
    await server.stop()
    process.exit(0)
  })
  process.send?.({ type: 'ready', url: server.url })
} catch (error) {
  if (!(error instanceof EmbeddedError)) throw error
  console.log(error.message)
  process.exit(1)
}
