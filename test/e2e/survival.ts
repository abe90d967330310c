/** Everything survives a remount, and nothing of it can be found in what lies on the disk. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { manifestOf } from '../helpers/manifest.js'
import { makeSampleTree } from '../helpers/sample-tree.js'
import { onEachMount } from '../helpers/vault.js'

onEachMount(
  t,
  'a remount brings back every entry, attribute and byte',
  async (t, vault) => {
    await makeSampleTree(vault)
    // Nothing reads it, so that its atime stays.
    await vault.shell('touch -a -d "2002-03-04 05:06:07.000000008" tree/fifo')
    const before = await manifestOf(vault)
    t.ok(before.length > 300)
    await vault.remount()
    t.equal(await vault.shell('stat -c %x tree/fifo'), '2002-03-04 05:06:07.000000008 +0000\n', 'atime, when set')
    t.strictSame(await manifestOf(vault), before)
    await vault.remount('--read-only')
    t.strictSame(await manifestOf(vault), before, 'also read-only')
    t.not((await vault.attempt('touch', ['new'])).code, 0)
  },
  { hasPassphrase: true },
)

onEachMount(t, 'a remount after changes brings back the last of each', async (t, vault) => {
  await makeSampleTree(vault)
  await vault.remount()
  await vault.shell(`
    cd tree; mv many/5 'moved \xe9'; ln many/6 six; rm many/8; rmdir empty; mkdir empty; seq 3 >> sub/file
    truncate -s 100 sub/random; truncate -s 1M sub/random; chmod 0600 many/9; setfattr -x user.bytes sub/random
    setfattr -n user.new -v v many/10; ln -sf elsewhere symbolic; mv sub/deep deeper; mv many/11 many/12`)
  const before = await manifestOf(vault)
  await vault.remount()
  t.strictSame(await manifestOf(vault), before)
  await vault.remount()
  t.strictSame(await manifestOf(vault), before, 'and again')
})

/** Distinct in every encoding a leak might use; long enough not to appear by chance. */
const MARKERS = { name: 'marker-NAME-7f3a9c', contents: 'marker-CONTENTS-51be0d', target: 'marker-TARGET-c2d4e6' }
const ATTRIBUTE = { name: 'marker-ATTRNAME-98ab', value: 'marker-ATTRVALUE-33cc' }

onEachMount(
  t,
  'nothing of names, contents or attributes is found on the disk',
  async (t, vault) => {
    const long = `${MARKERS.contents} `.repeat(50_000)
    await vault.shell(`
    mkdir ${MARKERS.name}-directory; cd ${MARKERS.name}-directory
    echo ${MARKERS.contents} > ${MARKERS.name}; ln -s ${MARKERS.target} ${MARKERS.name}-link
    setfattr -n user.${ATTRIBUTE.name} -v ${ATTRIBUTE.value} ${MARKERS.name}
    for i in $(seq 200); do echo "${MARKERS.contents} $i" > ${MARKERS.name}-$i; done`)
    await vault.shell('cat > large', { input: long })
    await vault.unmount()
    await vault.mount()
    await vault.shell(`find . -type f -exec cat {} + > /dev/null; rm large`)
    await vault.unmount()
    const markers = [...Object.values(MARKERS), ...Object.values(ATTRIBUTE), 'correct horse']
    for (const path of filesBelow(vault.base).filter((file) => file !== vault.passfile)) {
      const bytes = readFileSync(path)
      const found = markers.flatMap((marker) =>
        [marker, Buffer.from(marker, 'utf16le'), Buffer.from(marker).toString('hex')].filter((form) =>
          bytes.includes(form),
        ),
      )
      t.strictSame(found, [], path.slice(vault.base.length))
    }
    await vault.mount()
  },
  { hasPassphrase: true },
)

/** The log, the index, and whatever the program keeps in the user's home and temporary directory. */
function filesBelow(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
