import t from 'tap'
import { deviceError, mountError, toolError } from '../../../../../src/fs/drivers/direct/mount/mount-errors.js'

/** Sentences of fusermount3 3.14, each provoked once. */
const SAID: readonly [string, string, RegExp?][] = [
  ['fusermount3: failed to open /dev/fuse: Permission denied', 'FUSE_UNAVAILABLE', /chmod 0666 \/dev\/fuse/],
  ["fusermount3: fuse device not found, try 'modprobe fuse' first", 'FUSE_UNAVAILABLE', /modprobe fuse/],
  ["fusermount3: unknown option 'frob'", 'BAD_OPTION'],
  ['fusermount3: user has no write access to mountpoint /usr', 'MOUNTPOINT_UNUSABLE'],
  ['fusermount3: mountpoint /tmp not owned by user', 'MOUNTPOINT_UNUSABLE'],
  ['fusermount3: failed to access mountpoint /absent: No such file or directory', 'MOUNTPOINT_UNUSABLE'],
  ['fusermount3: failed to access mountpoint /root/xx: Permission denied', 'MOUNTPOINT_UNUSABLE'],
  ['fusermount3: mount failed: Operation not permitted', 'MOUNT_REFUSED', /AppArmor/],
  ['fusermount3: mount failed: Permission denied', 'MOUNT_REFUSED', /AppArmor/],
  [
    "fusermount3: option allow_other only allowed if 'user_allow_other' is set in /etc/fuse.conf",
    'MOUNT_REFUSED',
    /user_allow_other to \/etc\/fuse\.conf/,
  ],
  [
    'fusermount3: too many FUSE filesystems mounted; mount_max=N can be set in /etc/fuse.conf',
    'MOUNT_REFUSED',
    /mount_max/,
  ],
  ['fusermount3: something new', 'MOUNT_REFUSED'],
]

t.test('what fusermount3 says becomes a code, a sentence and what to type', (t) => {
  for (const [message, code, hint] of SAID) {
    const error = toolError({ status: 1, startError: undefined, message }, '/mnt/m')
    t.match(error, { code, message: /\/mnt\/m/ }, message)
    t.ok(error.message.includes(message), 'the words themselves are there')
    if (hint !== undefined) t.match(error.hint, hint)
  }
  t.end()
})

t.test('without fusermount3 the error says how to get it', (t) => {
  const error = toolError({ status: undefined, startError: 'ENOENT', message: '' }, '/mnt/m')
  t.match(error, { code: 'FUSE_UNAVAILABLE', message: /fusermount3 is not installed/, hint: /apt install fuse3/ })
  t.match(toolError({ status: undefined, startError: 'EACCES', message: '' }, '/m'), { code: 'FUSE_UNAVAILABLE' })
  t.match(toolError({ status: 3, startError: undefined, message: '' }, '/m'), { message: /status 3/ })
  t.match(toolError({ status: undefined, startError: undefined, message: '' }, '/m'), { message: /unknown/ })
  t.end()
})

t.test('an absent, forbidden or broken /dev/fuse is told apart', (t) => {
  t.match(deviceError('ENOENT', undefined), { code: 'FUSE_UNAVAILABLE', message: /absent/, hint: /modprobe fuse/ })
  t.match(deviceError('ENODEV', undefined), { code: 'FUSE_UNAVAILABLE', message: /absent/, hint: /--device/ })
  t.match(deviceError('EACCES', undefined), { code: 'FUSE_UNAVAILABLE', message: /permission/, hint: /chmod/ })
  t.match(deviceError('EMFILE', undefined), { code: 'FUSE_UNAVAILABLE', message: /EMFILE/ })
  t.end()
})

t.test('errors of mount(2) become codes', (t) => {
  const [EPERM, ENOENT, EACCES, EBUSY, ENODEV, ENOTDIR, EINVAL] = [1, 2, 13, 16, 19, 20, 22]
  t.match(mountError(EPERM, '/m'), { code: 'MOUNT_REFUSED', hint: /--cap-add SYS_ADMIN/ })
  t.match(mountError(EACCES, '/m'), { code: 'MOUNT_REFUSED', hint: /AppArmor/ })
  t.match(mountError(ENODEV, '/m'), { code: 'FUSE_UNAVAILABLE' })
  t.match(mountError(EBUSY, '/m'), { code: 'MOUNTPOINT_BUSY' })
  t.match(mountError(ENOENT, '/m'), { code: 'MOUNTPOINT_UNUSABLE' })
  t.match(mountError(ENOTDIR, '/m'), { code: 'MOUNTPOINT_UNUSABLE' })
  t.match(mountError(EINVAL, '/m'), { code: 'MOUNT_REFUSED', message: /22/ })
  t.end()
})
