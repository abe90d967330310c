/** A program on a terminal of its own, that of script(1), and somebody who types. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

export interface TerminalEnd {
  code: number
  /** All that was on the screen: both streams, and what the terminal showed of what was typed. */
  shown: string
}

/** Pause between the pieces of an answer. */
const PIECE_MS = 30

/**
 * Runs a line of shell to its end. Each answer is typed when the next question (text that ends in ': ') is there; one in
 * pieces goes on whatever is asked meanwhile.
 */
export async function onTerminal(
  line: string,
  environment: Record<string, string>,
  answers: readonly (string | readonly string[])[],
): Promise<TerminalEnd> {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  const words = ['-i', ...variables, 'SHELL=/bin/sh', 'script', '-qec', line, '/dev/null']
  const terminal = spawn('env', words, { timeout: 60_000, killSignal: 'SIGKILL' })
  const rest = [...answers]
  const type = async (pieces: readonly string[]): Promise<void> => {
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) await sleep(PIECE_MS)
      if (terminal.stdin.writable) terminal.stdin.write(piece)
    }
  }
  let shown = ''
  let questions = 0
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
    for (; questions < shown.split(': ').length - 1; questions++) void type([rest.shift() ?? ''].flat())
  })
  const [code] = (await once(terminal, 'close')) as [number | null]
  return { code: code ?? -1, shown }
}
