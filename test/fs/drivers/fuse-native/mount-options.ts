import t from 'tap'
import type { DriverOptions } from '../../../../src/fs/drivers/driver.js'
import { mountOptions } from '../../../../src/fs/drivers/fuse-native/mount-options.js'

const options: DriverOptions = {
  mountpoint: '/mnt',
  fsName: 'name',
  subtype: 'atefs',
  readOnly: false,
  allowOther: false,
  allowRoot: false,
  kernelOptions: [],
  onWarning: () => undefined,
}

t.test('the kernel checks permissions, and libfuse remembers no attributes', async (t) => {
  const words = mountOptions(options, false)
  for (const word of ['fsname=name', 'subtype=atefs', 'default_permissions', 'attr_timeout=0', 'use_ino']) {
    t.ok(words.includes(word), word)
  }
  t.notOk(words.includes('nonempty'), 'which fusermount3 does not know')
  t.ok(mountOptions(options, true).includes('nonempty'))
})

t.test('what was asked for is handed on', async (t) => {
  const asked = { readOnly: true, allowOther: true, allowRoot: true, uid: 5, gid: 6, umask: 0o27 }
  const words = mountOptions({ ...options, ...asked, kernelOptions: ['nosuid', 'relatime'] }, false)
  for (const word of ['ro', 'allow_other', 'uid=5', 'gid=6', 'umask=27', 'nosuid']) t.ok(words.includes(word), word)
  for (const word of ['allow_root', 'relatime']) t.notOk(words.includes(word), word)
})

t.test('a comma in a name begins no option', async (t) => {
  t.ok(mountOptions({ ...options, fsName: 'a,allow_other\\' }, false).includes('fsname=a\\,allow_other\\\\'))
})

t.test('an option that libfuse 2 does not know is refused by name', async (t) => {
  t.throws(() => mountOptions({ ...options, kernelOptions: ['strictatime'] }, true), {
    code: 'BAD_OPTION',
    message: /strictatime/,
  })
})
