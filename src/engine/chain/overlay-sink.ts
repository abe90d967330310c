/** Puts changes into an overlay. */
import type { Overlay } from '../index/overlay.js'
import type { ChangeSink } from './change-stream.js'

export function changesInto(overlay: Overlay, transaction: number): ChangeSink {
  return {
    put: (kind, high, low, value) => overlay.put(transaction, kind, high, low, value),
    delete: (kind, high, low) => overlay.put(transaction, kind, high, low, null),
    deleteRange: (kind, high, from, to) => overlay.deleteRange(transaction, kind, high, from, to),
  }
}
