import t from 'tap'
import { toolOptions } from '../../../../../src/fs/drivers/direct/mount/mount-as-user.js'

const TARGET = {
  mountpoint: '/m',
  fsName: 'x',
  subtype: 'atefs',
  readOnly: false,
  allowOther: false,
  kernelOptions: [],
}

t.test('options for fusermount3', (t) => {
  t.equal(toolOptions(TARGET), 'fsname=x,subtype=atefs,default_permissions')
  const all = { ...TARGET, readOnly: true, allowOther: true, kernelOptions: ['nosuid', 'relatime', 'noatime'] }
  t.equal(toolOptions(all), 'fsname=x,subtype=atefs,default_permissions,ro,allow_other,nosuid,noatime')
  t.end()
})

t.test('a name cannot end its option and begin another', (t) => {
  const options = toolOptions({ ...TARGET, fsName: 'a,allow_other\\' })
  t.equal(options, 'fsname=a\\,allow_other\\\\,subtype=atefs,default_permissions')
  t.end()
})
