/** The key of those who may have the writer's turn, in a small file beside the log: undefined before anybody has shown one. */
import { fields, integer } from '../engine/codec/shape.js'
import { decodeMessagePack, encodeMessagePack } from '../engine/codec/message-pack.js'
import { AteError } from '../engine/error.js'
import type { LogStorage } from '../engine/log/storage.js'
import { publicKeyOf } from '../sync/writer-shape.js'
import type { PublicKey } from '../wire/index.js'
import { WRITER_NAME } from './file-names.js'

const VERSION = 1
const MAX_BYTES = 4096
const shape = fields<{ readonly version: number; readonly key: PublicKey }>({
  version: integer(1, 0xffff),
  key: publicKeyOf,
})

/** BAD_FORMAT for a file that is damaged, UNSUPPORTED_FORMAT for one of a later version: nobody may take its place. */
export async function loadWriter(storage: LogStorage): Promise<PublicKey | undefined> {
  const bytes = await storage.readSmall(WRITER_NAME, MAX_BYTES)
  if (bytes === undefined) return undefined
  const { version, key } = decodeMessagePack(bytes, MAX_BYTES, shape, 'writer')
  if (version === VERSION) return key
  throw new AteError('UNSUPPORTED_FORMAT', `The key of the writers has version ${version}, which is newer.`)
}

export async function saveWriter(storage: LogStorage, { suite, publicKey }: PublicKey): Promise<void> {
  await storage.replaceSmall(WRITER_NAME, encodeMessagePack({ version: VERSION, key: { suite, publicKey } }))
}
