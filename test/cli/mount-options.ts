import fc from 'fast-check'
import t from 'tap'
import { parseMountOptions } from '../../src/cli/mount-options.js'
import { errorCode } from '../../src/engine/error.js'

t.test('without options nobody else may enter and setuid bits and devices do not count', async (t) => {
  t.same(parseMountOptions([]), {
    readOnly: false,
    allowOther: false,
    allowRoot: false,
    kernelOptions: ['nosuid', 'nodev'],
  })
})

t.test('every option of the manual is understood', async (t) => {
  const lists = ['ro,allow_other,default_permissions,noexec,noatime,sync', 'uid=1000,gid=1001,umask=027,fsname=box']
  const { kernelOptions, ...options } = parseMountOptions(lists)
  t.same(kernelOptions.sort(), ['noatime', 'nodev', 'noexec', 'nosuid', 'sync'])
  t.same(options, {
    readOnly: true,
    allowOther: true,
    allowRoot: false,
    uid: 1000,
    gid: 1001,
    umask: 0o27,
    fsName: 'box',
  })
})

t.test('later options win', async (t) => {
  t.equal(parseMountOptions(['ro', 'rw']).readOnly, false)
  t.equal(parseMountOptions(['rw,ro']).readOnly, true)
  t.same(parseMountOptions(['suid,dev,noexec,exec']).kernelOptions, [])
  t.same(parseMountOptions(['noatime,relatime,suid,dev']).kernelOptions, ['relatime'])
  t.same(parseMountOptions(['noatime,atime,suid,dev']).kernelOptions, [])
})

t.test('what is meant for mount(8), systemd and fstab is accepted and goes nowhere', async (t) => {
  const options = parseMountOptions(['_netdev,nofail,user,noauto,x-systemd.automount,x-gvfs-name=Vault,suid,dev'])
  t.same(options, { readOnly: false, allowOther: false, allowRoot: false, kernelOptions: [] })
})

t.test('a backslash keeps a comma', async (t) => {
  t.equal(parseMountOptions(['fsname=a\\,b']).fsName, 'a,b')
})

t.test('what is wrong is refused by its name', async (t) => {
  const wrong: [string, RegExp][] = [
    ['bogus', /'bogus'/],
    ['ro,max_read=5', /'max_read'/],
    ['uid=', /uid=/],
    ['uid=4294967295', /uid=/],
    ['uid=-1', /uid=/],
    ['gid=0x10', /gid=/],
    ['umask=8', /umask=/],
    ['umask=01777', /umask=/],
    ['fsname=', /fsname=/],
    ['fsname=a\nb', /fsname=/],
    ['allow_other,allow_root', /exclude/],
    ['ro\u0007', /'ro\?'/],
    [`ro,${'x'.repeat(5000)}`, /longer/],
  ]
  for (const [list, message] of wrong)
    t.throws(() => parseMountOptions([list]), { code: 'BAD_OPTION', message }, list.slice(0, 40))
})

t.test('any text gives options or BAD_OPTION, and never more for the kernel than what is known', async () => {
  const known = ['nosuid', 'nodev', 'noexec', 'sync', 'dirsync', 'noatime', 'relatime']
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom('ro', 'noatime', 'sync', 'uid=5', 'umask=777', 'fsname=x', 'x-a=b', '\\', '=', ','),
  )
  fc.assert(
    fc.property(fc.array(fc.array(word).map((words) => words.join(','))), (lists) => {
      try {
        return parseMountOptions(lists).kernelOptions.every((option) => known.includes(option))
      } catch (error) {
        return errorCode(error) === 'BAD_OPTION'
      }
    }),
    { seed: 2 },
  )
})
