/**
 * Asks for a passphrase on the terminal without showing it. Bytes, not a string, so that they can be wiped; no library,
 * because those that exist keep strings and a history. The prompt goes to standard error: standard output is for results.
 */
import type { ReadStream } from 'node:tty'
import { AteError } from '../engine/error.js'
import { EXIT } from './exit-codes.js'

const CTRL_C = 0x03
const CTRL_D = 0x04
const BACKSPACE = 0x08
const ENTER = 0x0d
const NEWLINE = 0x0a
const CTRL_U = 0x15
const DELETE = 0x7f

/** Longer input is cut off: a terminal line is not longer either. */
const MAX_BYTES = 4096

/**
 * One line typed on standard input, a terminal. Ctrl-C ends the program. Fails with NO_PASSPHRASE at end of input. With
 * `more` another question follows: what is typed until then is not shown either, and the caller sees to `stopHiding`.
 */
export function promptHidden(text: string, { more = false } = {}, input: ReadStream = process.stdin): Promise<Buffer> {
  const line = Buffer.alloc(MAX_BYTES)
  let length = 0
  // First: whoever sees the question may type at once, and nothing of that is to be shown.
  input.setRawMode(true)
  process.stderr.write(text)
  return new Promise((resolve, reject) => {
    const finish = (keepHiding = false): void => {
      input.off('data', onData).off('end', onEnd).pause()
      if (!keepHiding) stopHiding(input)
      process.stderr.write('\n')
    }
    const fail = (): void => {
      finish()
      line.fill(0)
      reject(new AteError('NO_PASSPHRASE', 'no passphrase was typed'))
    }
    const onEnd = fail
    const onData = (chunk: Buffer): void => {
      for (const [index, byte] of chunk.entries()) {
        if (byte === ENTER || byte === NEWLINE) {
          finish(more)
          // Typed ahead: belongs to the next question.
          if (index + 1 < chunk.length) input.unshift(Buffer.from(chunk.subarray(index + 1)))
          resolve(line.subarray(0, length))
          break
        }
        if (byte === CTRL_D) {
          fail()
          break
        }
        if (byte === CTRL_C) {
          finish()
          process.exit(EXIT.INTERRUPTED)
        }
        if (byte === CTRL_U) length = 0
        else if (byte === BACKSPACE || byte === DELETE) length = withoutLastCharacter(line, length)
        else if (length < MAX_BYTES) line[length++] = byte
      }
      chunk.fill(0)
    }
    input.on('data', onData).on('end', onEnd).resume()
  })
}

/** The terminal as it was: shows what is typed. */
export function stopHiding(input: ReadStream = process.stdin): void {
  if (input.isTTY) input.setRawMode(false)
}

/** UTF-8: bytes 10xxxxxx continue the character before them. */
function withoutLastCharacter(line: Buffer, length: number): number {
  let end = length - 1
  while (end > 0 && ((line[end] ?? 0) & 0xc0) === 0x80) end--
  return Math.max(end, 0)
}
