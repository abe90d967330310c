/** A line of progress on standard error while something takes long: only on a terminal, and gone afterwards. */

import type { OpenProgress } from '../adapters/node/chain-handle.js'

export interface Progress {
  show: (text: string) => void
  clear: () => void
}

/** Quick work stays silent. */
const QUIET_MS = 700

export function terminalProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const startedAtMs = performance.now()
  let shown = false
  return {
    show(text) {
      if (!stream.isTTY || performance.now() - startedAtMs < QUIET_MS) return
      shown = true
      // \x1b[K: erase to the end of the line. A movement of the cursor, not a colour: NO_COLOR does not concern it.
      // A terminal may not know how wide it is.
      const columns = stream.columns > 0 ? stream.columns : 80
      stream.write(`\r${text.slice(0, columns - 1)}\x1b[K`)
    },
    clear() {
      if (shown) stream.write('\r\x1b[K')
      shown = false
    },
  }
}

/** 'reading the log: 40 %'. */
export function progressText({ phase, doneBytes, totalBytes }: OpenProgress): string {
  if (totalBytes <= 0) return phase
  return `${phase}: ${Math.floor((100 * Math.min(doneBytes, totalBytes)) / totalBytes)} %`
}
