/** The whole state of a mount as text, to be compared before and after. */
import { join } from 'node:path'
import { openInstallation } from './installation.js'
import type { Vault } from './vault.js'

/** Every entry with its inode number, attributes, contents and extended attributes; a line each. */
export async function manifestOf(vault: Vault): Promise<string[]> {
  const { node, root } = openInstallation()
  const entries = await vault.run(node, [join(root, 'test/e2e/programs/manifest.js')])
  const attributes = await vault.run('getfattr', ['-P', '-R', '-h', '-d', '-m', '-', '-e', 'hex', '.'])
  return [...entries.trimEnd().split('\n'), ...attributes.trimEnd().split('\n')]
}
