/** An index that may be damaged: whatever it does then is an answer, not an error. */
import type { IndexWriter } from '../index/index-writer.js'

/** An index that cannot even be read is not whole. */
export function* verifySafely(index: IndexWriter): Generator<void, boolean> {
  try {
    return yield* index.verify()
  } catch {
    return false
  }
}

export function disownSafely(index: IndexWriter): void {
  try {
    index.disown()
  } catch {
    // So broken that it cannot be written to: whoever opens it next sees that as well.
  }
}
