/** What a transaction changes, as the log has it. */
import type { Overlay } from '../index/overlay.js'
import { METADATA_GROUP_BYTES } from '../limits.js'
import { ChangeStreamWriter } from './change-stream.js'

/** In pieces for one group each, of memory that `stage` gives. */
export function changeStreams(
  overlay: Overlay,
  transaction: number,
  stage: (length: number) => Uint8Array,
): Uint8Array[] {
  const writer = new ChangeStreamWriter(stage, METADATA_GROUP_BYTES)
  const { cleared, nodes } = overlay.changesOf(transaction)
  for (const { kind, high, from, to } of cleared) writer.deleteRange(kind, high, from, to)
  for (const node of nodes) {
    if (node.transaction !== transaction) continue
    if (node.value === null) writer.delete(node.kind, node.high, node.low)
    else writer.put(node.kind, node.high, node.low, node.value)
  }
  return writer.finish()
}
