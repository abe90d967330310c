/**
 * A tree with everything that tar and rsync carry: modes, old and future times, hard and symbolic links, holes, FIFOs,
 * extended attributes, access control lists, long and strange names; as root also owners, devices and setuid bits.
 */
import type { Vault } from './vault.js'

/** Two bytes that are no UTF-8, and a name of 255 bytes. */
export const STRANGE_NAMES = `"$(printf 'not \\377\\376 UTF-8')" "$(printf '%255s' '' | tr ' ' n)" ' leading and trailing ' '-rf' 'a\nb'`

const forAll = `
  mkdir -p tree/sub/deep tree/empty tree/many
  cd tree
  seq 1 5000 > sub/file; : > sub/nothing; printf x > sub/deep/one-byte
  for i in $(seq 1 300); do seq $i $((i * 7)) > many/$i; done
  head -c 300000 /dev/urandom > sub/random
  truncate -s 5M sub/hole; printf end >> sub/hole
  ln sub/file hard-link; ln -s sub/file symbolic; ln -s /nowhere/at/all dangling
  mkfifo fifo
  for name in ${STRANGE_NAMES}; do printf '%s' "$name" > "sub/deep/$name"; done
  chmod 0400 sub/nothing; chmod 0751 sub; chmod 2755 empty; chmod 0511 many/7; chmod 1777 many
  touch -h -d '1969-12-31 23:59:59.123456789' symbolic
  touch -d '1970-01-01 00:00:00' sub/nothing
  touch -d '1985-10-26 01:21:00.000000001' sub/file
  touch -d '2106-02-07 06:28:17.999999999' sub/random
  setfattr -n user.note -v 'some text' sub/file
  setfattr -n user.bytes -v 0x00ff01fe sub/random
  setfattr -n user.note -v 'on a directory' sub
  setfacl -m u:1234:rw,g:4321:r sub/random
  setfacl -d -m u:1234:rwx empty
  touch -d '2001-02-03 04:05:06.789' empty many sub/deep .`

const forRoot = `
  chown 1234:4321 sub/file many/1; chown -h 1234:4321 dangling
  mknod device c 1 3; mknod block b 7 200
  cp /bin/true sub/setuid; chmod 6755 sub/setuid
  setfattr -n trusted.secret -v root-only sub/random
  touch -d '2001-02-03 04:05:06.789' . sub`

/** Makes `tree/` in the directory given, the mountpoint unless given. */
export async function makeSampleTree(vault: Vault, directory = vault.mountpoint): Promise<void> {
  await vault.shell(vault.user.uid === 0 ? `${forAll}\n${forRoot}` : forAll, { directory })
}
