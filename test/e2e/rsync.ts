/** rsync -aHAX compares sizes, times to the nanosecond, modes, owners, links, ACLs and attributes. */
import t from 'tap'
import { makeSampleTree } from '../helpers/sample-tree.js'
import { onEachMount, type Vault } from '../helpers/vault.js'

/** What rsync would change, one line each; it changes it unless told not to. */
const rsync = (vault: Vault, ...words: string[]): Promise<string> =>
  vault.run('rsync', ['-aHAX', '--sparse', '--itemize-changes', ...words])

onEachMount(t, 'rsync -aHAX: the second run transfers nothing', async (t, vault) => {
  const original = `${vault.base}/tmp/tree/`
  await makeSampleTree(vault, `${vault.base}/tmp`)
  t.not(await rsync(vault, original, 'copy/'), '')
  t.equal(await rsync(vault, original, 'copy/'), '', 'nothing differs')
  t.equal(await rsync(vault, '--checksum', original, 'copy/'), '', 'no content differs')
  await vault.remount()
  t.equal(await rsync(vault, '--checksum', original, 'copy/'), '', 'nothing differs after a remount')
  t.equal(await rsync(vault, '--checksum', '--delete', '--dry-run', 'copy/', original), '', 'nor the other way')

  await vault.shell('seq 1 9 > copy/sub/file; rm copy/hard-link; chmod 600 copy/sub/random; touch copy/extra')
  const changes = await rsync(vault, '--delete', original, 'copy/')
  t.match(changes, /deleting +extra/)
  t.equal(await rsync(vault, '--checksum', '--delete', original, 'copy/'), '', 'what was changed is as it was')
})
