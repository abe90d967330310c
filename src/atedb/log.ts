/** What a server tells while it runs: a line for each thing, for people or as JSON. */

const LEVELS = ['off', 'error', 'warn', 'info', 'debug', 'trace'] as const
export type LogLevel = (typeof LEVELS)[number]

/** What belongs to a line. Never keys, never contents. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>> & {
  readonly [name in 'time' | 'level' | 'message']?: never
}

export function isLogLevel(text: string): text is LogLevel {
  return LEVELS.some((level) => level === text)
}

export interface LogOptions {
  level: LogLevel
  format: 'text' | 'json'
  /** Takes a line with its newline. */
  write: (line: string) => void
  now?: () => Date
}

export class Log {
  readonly #options: LogOptions
  readonly #rank: number

  constructor(options: LogOptions) {
    this.#options = options
    this.#rank = LEVELS.indexOf(options.level)
  }

  error(message: string, fields: LogFields = {}): void {
    this.#line('error', message, fields)
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#line('warn', message, fields)
  }

  info(message: string, fields: LogFields = {}): void {
    this.#line('info', message, fields)
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#line('debug', message, fields)
  }

  #line(level: LogLevel, message: string, fields: LogFields): void {
    if (LEVELS.indexOf(level) > this.#rank) return
    const { format, write, now = () => new Date() } = this.#options
    const time = now().toISOString()
    write(format === 'json' ? jsonLine(time, level, message, fields) : textLine(time, level, message, fields))
  }
}

function jsonLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
  return `${JSON.stringify({ time, level, message, ...fields })}\n`
}

/** What others have chosen cannot look like a line of its own, or speak to a terminal: it is quoted. */
function textLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
  const said = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [` ${name}=${shown(value)}`],
  )
  return `${time} ${level.padEnd(5)} ${message.replace(/\p{Cc}/gu, ' ')}${said.join('')}\n`
}

function shown(value: string | number | boolean): string {
  if (typeof value !== 'string' || /^[\w.:/@%+~[\]-]+$/.test(value)) return String(value)
  return JSON.stringify(value).replace(/\p{Cc}/gu, ' ')
}
