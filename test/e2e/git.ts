/** git keeps its objects by rename, its index by lock files and maps its packs: a working day of it on a mount. */
import t, { type Test } from 'tap'
import { onOrdinaryMount, onServedMount, type Vault } from '../helpers/vault.js'

const git = (vault: Vault, repository: string, ...words: string[]): Promise<string> =>
  vault.run('git', ['-C', repository, ...words])

/** Of some hundred bytes to some KiB in 40 directories; no two alike. */
const makeFiles = (count: number): string => `
  i=0
  while [ $i -lt ${count} ]; do
    d=src/$((i % 40)); [ -d $d ] || mkdir -p $d
    seq $i $((i + 20 + i % 700)) > $d/file$i
    i=$((i + 1))
  done`

const workWith =
  (files: number) =>
  async (t: Test, vault: Vault): Promise<void> => {
    await vault.run('git', ['config', '--global', 'user.name', 'Tester'])
    await vault.run('git', ['config', '--global', 'user.email', 'tester@example.org'])
    await vault.run('git', ['init', '--quiet', '--initial-branch=main', 'work'])
    await vault.shell(makeFiles(files), { directory: `${vault.mountpoint}/work` })
    await git(vault, 'work', 'add', '.')
    await git(vault, 'work', 'commit', '--quiet', '-m', 'first')
    t.equal((await git(vault, 'work', 'ls-files')).trim().split('\n').length, files)
    t.equal(await git(vault, 'work', 'status', '--porcelain'), '', 'nothing differs from what was committed')

    await vault.shell('for f in src/7/*; do echo more >> $f; done; git mv src/8 renamed; git rm -rq src/9', {
      directory: `${vault.mountpoint}/work`,
    })
    await git(vault, 'work', 'commit', '--quiet', '-a', '-m', 'second')
    await git(vault, 'work', 'gc', '--quiet', '--prune=now')
    await git(vault, 'work', 'fsck', '--full', '--strict')
    await vault.run('git', ['clone', '--quiet', '--no-hardlinks', 'work', 'clone'])
    await vault.run('git', ['clone', '--quiet', 'work', 'linked'])
    const head = await git(vault, 'work', 'rev-parse', 'HEAD')

    await vault.remount()
    for (const repository of ['work', 'clone', 'linked']) {
      t.equal(await git(vault, repository, 'rev-parse', 'HEAD'), head)
      t.equal(await git(vault, repository, 'status', '--porcelain'), '', `${repository} is clean after a remount`)
      await git(vault, repository, 'fsck', '--full', '--strict')
    }
  }

onOrdinaryMount(t, 'git: init, 2,000 files, commit, gc, fsck, clone', workWith(2000))

onServedMount(t, 'git: init, 40 files, commit, gc, fsck, clone', ['--recovery-mode', 'sync'], workWith(40))
