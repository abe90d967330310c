/** The list of commands that oclif reads instead of loading every command. Stale, it hides new ones without a word. */
import { Plugin } from '@oclif/core'

/**
 * The manifest of what lies in dist/commands.
 * @param {string} root the directory of package.json
 * @returns {Promise<string>} the text of oclif.manifest.json
 */
export async function freshManifest(root) {
  const plugin = new Plugin({ errorOnManifestCreate: true, ignoreManifest: true, respectNoCacheDefault: true, root })
  await plugin.load()
  // Else in the order in which the file system lists directories, which differs between checkouts.
  const commands = Object.entries(plugin.manifest.commands).sort(([a], [b]) => (a < b ? -1 : 1))
  return `${JSON.stringify({ ...plugin.manifest, commands: Object.fromEntries(commands) }, null, 2)}\n`
}
