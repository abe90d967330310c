/** What opens the chains of a configuration. */
import type { ChainSecret } from '../adapters/node/chain-handle.js'
import { AteError } from '../engine/error.js'
import type { AteConfigOptions } from './config.js'

/** BAD_ARGUMENT, EMPTY_PASSPHRASE. */
export function secretFor({ passphrase }: Readonly<AteConfigOptions>, isKeyFile: boolean): ChainSecret {
  if (isKeyFile && passphrase !== undefined)
    throw new AteError('BAD_ARGUMENT', 'The chain has no passphrase: its key lies beside it.', {
      hint: 'Leave the passphrase out.',
    })
  if (passphrase === undefined) return { kind: 'key-file' }
  if (passphrase === '') throw new AteError('EMPTY_PASSPHRASE', 'The passphrase is empty.')
  return { kind: 'passphrase', passphrase: new TextEncoder().encode(passphrase) }
}
