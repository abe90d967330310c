/** Runs one of the system's mount tools and waits for it, without blocking: the tool may ask the mount something. */
import { spawn } from 'node:child_process'

export interface ToolResult {
  /** undefined: the program could not be started (`startError` says why) or was ended by a signal. */
  status: number | undefined
  startError: string | undefined
  /** Its last line on stderr. */
  message: string
}

/** English messages, which we read, and the places of set-user-id programs, whatever the caller's PATH says. */
const ENVIRONMENT = {
  LC_ALL: 'C',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/wrappers/bin',
}
const MAX_MESSAGE_LENGTH = 4096

/** `descriptor`, when given, is open in the tool as number 3. */
export function runTool(
  program: string,
  args: readonly string[],
  environment: Record<string, string> = {},
  descriptor?: number,
): Promise<ToolResult> {
  return new Promise((resolve) => {
    const stdio: ('ignore' | 'pipe' | number)[] = ['ignore', 'ignore', 'pipe']
    if (descriptor !== undefined) stdio.push(descriptor)
    const child = spawn(program, args, { stdio, env: { ...ENVIRONMENT, ...environment } })
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-MAX_MESSAGE_LENGTH)
    })
    child.on('error', (error: NodeJS.ErrnoException) => {
      resolve({ status: undefined, startError: error.code ?? error.message, message: '' })
    })
    child.on('close', (status) => {
      resolve({ status: status ?? undefined, startError: undefined, message: said.trim().split('\n').at(-1) ?? '' })
    })
  })
}
