/** Names are bytes, and a directory may hold many of them. */
import t from 'tap'
import { STRANGE_NAMES } from '../helpers/sample-tree.js'
import { onOrdinaryMount } from '../helpers/vault.js'

onOrdinaryMount(t, 'names of 255 bytes and names that are not UTF-8 work everywhere', async (t, vault) => {
  await vault.shell(
    `for n in ${STRANGE_NAMES}; do printf '%s' "$n" > "./$n"; mkdir "./d$(printf %s "$n" | head -c 254)"; done`,
  )
  const check = `for n in ${STRANGE_NAMES}; do [ "$(cat "./$n")" = "$n" ]; [ -d "./d$(printf %s "$n" | head -c 254)" ]; done`
  await vault.shell(check)
  const listing = await vault.attempt('find', ['.', '-mindepth', '1', '-print0'])
  t.equal(listing.stdout.toString('latin1').split('\0').length, 11)
  t.ok(listing.stdout.includes(Buffer.from([0xff, 0xfe])), 'the bytes come back as they are')
  t.match((await vault.attempt('touch', ['x'.repeat(256)])).stderr, /File name too long/)
  await vault.remount()
  await vault.shell(check)
  await vault.shell(`for n in ${STRANGE_NAMES}; do mv -- "./$n" moved; ln moved "./$n"; rm moved; done`)
  await vault.shell(check)
  await vault.shell('find . -mindepth 1 -delete')
  t.equal(await vault.run('find', ['.', '-mindepth', '1']), '')
})

onOrdinaryMount(t, '20,000 files in a directory: listed once each, found, removed', async (t, vault) => {
  await vault.shell('mkdir d; cd d; seq -f f%.0f 20000 | xargs touch')
  const count = 'ls -f d | wc -l; ls d | sort -u | wc -l'
  t.equal(await vault.shell(count), '20002\n20000\n')
  await vault.remount()
  t.equal(await vault.shell(count), '20002\n20000\n', 'after a remount')
  t.equal(await vault.shell('ls -l d | wc -l; stat -c %F d/f1 d/f20000 | uniq'), '20001\nregular empty file\n')
  await vault.shell('cd d; seq -f f%.0f 1 2 20000 | xargs rm')
  t.equal(await vault.shell('ls d | wc -l'), '10000\n')
  await vault.run('rm', ['-r', 'd'])
  await vault.remount()
  t.equal(await vault.run('find', ['.', '-mindepth', '1']), '')
})
