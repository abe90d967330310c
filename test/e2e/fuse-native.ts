/** The driver fuse-native through the program: what it serves is a mount like any other, and what it lacks is told. */
import t from 'tap'
import { EXIT } from '../../src/cli/exit-codes.js'
import { openInstallation } from '../helpers/installation.js'
import { manifestOf } from '../helpers/manifest.js'
import { atefsMount, inNamespace, NEEDS_ROOT } from '../helpers/namespace.js'
import { refused } from '../helpers/refused.js'
import { isRoot, testingUser, usersToTest } from '../helpers/user.js'
import { Vault } from '../helpers/vault.js'

const DRIVER = ['--driver', 'fuse-native']
const skip = isRoot ? false : NEEDS_ROOT

for (const user of usersToTest()) {
  t.test(`a mount by fuse-native says so, works and comes back, as ${user.title}`, async (t) => {
    const vault = Vault.create(t, user)
    await vault.mount(...DRIVER)
    const status = JSON.parse((await vault.atefs(['status', vault.mountpoint, '--json'])).stdout.toString()) as unknown
    t.match(status, { driver: 'fuse-native', state: 'mounted', pid: vault.daemon })
    t.match(await vault.shell(`grep ' ${vault.mountpoint} ' /proc/mounts`), / fuse\.atefs rw,nosuid,nodev/)
    await vault.shell(`
      mkdir -p d/e; echo small > d/small; head -c 3000000 /dev/urandom > d/e/large; ln d/small d/second; ln -s small d/link
      chmod 640 d/small; touch -d '2001-02-03 04:05:06.789012345' d/e/large; setfattr -n user.note -v kept d/small
      echo more >> d/small; truncate -s 1M d/sparse; mv d/e moved; mkdir gone; rmdir gone; rm d/second; sync d/small`)
    t.equal(await vault.shell('cat d/link'), 'small\nmore\n')
    const before = await manifestOf(vault)
    await vault.remount(...DRIVER)
    t.strictSame(await manifestOf(vault), before, 'everything is back')
    const sums = await vault.shell('find . -type f -exec sha256sum {} + | sort')
    await vault.remount()
    t.equal(await vault.shell('find . -type f -exec sha256sum {} + | sort'), sums, 'also for the other driver')
    await vault.unmount()
  })
}

/**
 * Takes libfuse 2 away, in the package and in the system: by an overlay without it, or where that is not allowed by an
 * empty file in its place.
 */
const withoutLibfuse = (root: string): string => `
  mount -t tmpfs none /mnt
  find ${root}/node_modules/fuse-native/prebuilds /usr/lib /usr/lib64 -name 'libfuse.so*' > /mnt/libraries || true
  while read library; do
    folder=$(dirname $library); part=/mnt/$(stat -c %i $folder)
    if mkdir $part $part/upper $part/work 2> /dev/null; then
      mount -t overlay none -o lowerdir=$folder,upperdir=$part/upper,workdir=$part/work $folder 2> /dev/null || true
    fi
    if ! rm $library 2> /dev/null; then mount --bind /dev/null $library; fi
  done < /mnt/libraries`

t.test('a system without libfuse 2 is told so, and the direct driver does not miss it', { skip }, async (t) => {
  const vault = Vault.create(t, testingUser)
  const prepare = withoutLibfuse(openInstallation().root)
  const result = await inNamespace(vault, `${prepare}; ${atefsMount(vault, ...DRIVER)}`)
  refused(t, vault, result, EXIT.FUSE, /fuse-native.*libfuse\.so/)
  t.match(result.stdout.toString(), /libfuse2/, 'and which package has it')
  t.match(result.stdout.toString(), /--driver direct/, 'and what to do without')
  const direct = await inNamespace(
    vault,
    `${prepare}; ${atefsMount(vault)} > /dev/null; stat -f -c %T ${vault.mountpoint}`,
  )
  t.equal(direct.stdout.toString(), 'fuseblk\n', direct.stderr)
})
