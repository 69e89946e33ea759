import { inflateRawSync } from 'node:zlib'

const endOfDirectory = 0x06054b50

/** The contents of a file in a zip archive (without encryption, smaller than 4 GB). */
export function fileIn(archive: Buffer, name: string): Buffer {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]))
  if (end < 0 || archive.readUInt32LE(end) !== endOfDirectory) throw new Error('this is no zip archive')
  let at = archive.readUInt32LE(end + 16)
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    const [nameSize, extraSize, commentSize] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset))
    if (archive.toString('utf8', at + 46, at + 46 + nameSize!) === name) return contentsAt(archive, at)
    at += 46 + nameSize! + extraSize! + commentSize!
  }
  throw new Error(`the zip archive has no ${name}`)
}

function contentsAt(archive: Buffer, entry: number): Buffer {
  const method = archive.readUInt16LE(entry + 10)
  const size = archive.readUInt32LE(entry + 20)
  const local = archive.readUInt32LE(entry + 42)
  const begin = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
  const bytes = archive.subarray(begin, begin + size)
  return method === 0 ? bytes : inflateRawSync(bytes)
}
