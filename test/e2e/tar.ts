/** tar restores modes, links, attributes and old times, and then finds no difference. */
import t from 'tap'
import { makeSampleTree } from '../helpers/sample-tree.js'
import { onEachMount } from '../helpers/vault.js'

const KEEP = ['--xattrs', '--xattrs-include=*', '--acls', '--numeric-owner', '--sparse']

onEachMount(t, 'tar: everything is restored, and --compare finds no difference', async (t, vault) => {
  const archive = `${vault.base}/tmp/tree.tar`
  await makeSampleTree(vault, `${vault.base}/tmp`)
  await vault.run('tar', [...KEEP, '-C', `${vault.base}/tmp`, '-cf', archive, 'tree'])
  await vault.run('tar', [...KEEP, '-xpf', archive])
  const compare = ['--compare', ...KEEP, '-f', archive]
  t.equal(await vault.run('tar', compare), '')
  await vault.remount()
  t.equal(await vault.run('tar', compare), '', 'also after a remount')
  t.equal(await vault.shell('stat -c "%y %a" tree/sub/file'), '1985-10-26 01:21:00.000000001 +0000 644\n')

  await vault.run('tar', [...KEEP, '-cf', `${vault.base}/tmp/back.tar`, 'tree'])
  t.equal(
    await vault.run('tar', ['--compare', ...KEEP, '-C', `${vault.base}/tmp`, '-f', `${vault.base}/tmp/back.tar`]),
    '',
    'an archive made from the mount holds what the original holds',
  )
})
