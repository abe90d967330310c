/** How much is told: flags first, then ATEFS_LOG, then RUST_LOG, which the original read. */
import { isLogLevel, type LogLevel } from '../../atedb/log.js'

/** Without a word from anybody. */
const DEFAULT_LEVEL: LogLevel = 'warn'
const BY_COUNT: readonly LogLevel[] = ['info', 'debug', 'trace']
/** What RUST_LOG may name: it speaks to several programs. */
const OURS = new Set(['ate', 'atedb', 'atefs'])

export function logLevel(
  { verbose, debug }: { verbose: number; debug: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): LogLevel {
  const byFlags = BY_COUNT[Math.min(verbose, BY_COUNT.length) - 1]
  if (debug) return byFlags === 'trace' ? 'trace' : 'debug'
  return byFlags ?? levelIn(environment['ATEFS_LOG']) ?? levelIn(environment['RUST_LOG']) ?? DEFAULT_LEVEL
}

/** `info`, or `warn,atedb=debug`: what is said of us counts more. What is no level is passed over, as env_logger does. */
function levelIn(text: string | undefined): LogLevel | undefined {
  const directives = (text ?? '').split(',').map((directive) => directive.trim().toLowerCase().split('='))
  const named = directives.find(([name = '', level = '']) => OURS.has(name) && isLogLevel(level))?.[1]
  const general = directives.find(([level = '', more]) => more === undefined && isLogLevel(level))?.[0]
  const found = named ?? general
  return found !== undefined && isLogLevel(found) ? found : undefined
}
