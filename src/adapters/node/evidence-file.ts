/** Evidence against a server, in a file beside the copy of its chain (`<copy>.evidence`): the first that was found is kept. */
import { writeFileSync } from 'node:fs'
import type { RemoteChainOptions } from '../../client/index.js'
import { encodeForkEvidence } from '../../sync/index.js'

export function keepEvidence(
  directory: string | undefined,
  onNotice: ((message: string) => void) | undefined,
): NonNullable<RemoteChainOptions['onEvidence']> {
  return (evidence, signer) => {
    const tell = (where: string): void => onNotice?.(`The server has signed two histories of the chain${where}.`)
    if (directory === undefined) {
      tell('')
      return
    }
    const path = `${directory}.evidence`
    try {
      writeFileSync(path, encodeForkEvidence(evidence, signer), { mode: 0o600, flag: 'wx' })
      tell(`: the evidence is ${path}`)
    } catch (error) {
      tell(`: the evidence is not in ${path} (${error instanceof Error ? error.message : String(error)})`)
    }
  }
}
