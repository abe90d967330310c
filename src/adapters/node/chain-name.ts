/** The name a chain gets when none is given. */
import { basename } from 'node:path'
import { checkChainName } from '../../engine/chain/chain-name.js'

/** The last part of the mountpoint. BAD_ARGUMENT when it cannot be the name of a chain. */
export function chainNameOf(mountpoint: string): string {
  return checkChainName(basename(mountpoint))
}
