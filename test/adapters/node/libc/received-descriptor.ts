import { spawnSync } from 'node:child_process'
import { closeSync, fstatSync, writeSync } from 'node:fs'
import t from 'tap'
import { receivedDescriptor, socketPair } from '../../../../src/adapters/node/libc/received-descriptor.js'

function pair(): [number, number] {
  const sockets = socketPair()
  if (typeof sockets === 'number') throw new Error(`socketpair: ${sockets}`)
  return sockets
}

t.test('nothing sent: no descriptor, and no waiting', (t) => {
  const [ours, theirs] = pair()
  t.equal(receivedDescriptor(ours), undefined)
  writeSync(theirs, 'only bytes')
  t.equal(receivedDescriptor(ours), undefined)
  closeSync(theirs)
  t.equal(receivedDescriptor(ours), undefined)
  closeSync(ours)
  t.equal(receivedDescriptor(ours), undefined, 'not even a socket')
  t.end()
})

const python = spawnSync('python3', ['--version']).status === 0 ? false : 'there is no python3 to send it'

t.test('a descriptor that another process sends is open here', { skip: python }, (t) => {
  const [ours, theirs] = pair()
  const program =
    'import os,socket\ns=socket.socket(fileno=3)\nsocket.send_fds(s,[b"0"],[os.open("/dev/null",os.O_RDWR)])'
  const sent = spawnSync('python3', ['-c', program], { stdio: ['ignore', 'inherit', 'inherit', theirs] })
  t.equal(sent.status, 0)
  const fd = receivedDescriptor(ours)
  t.type(fd, 'number')
  t.equal(fstatSync(fd ?? -1).isCharacterDevice(), true)
  for (const each of [fd ?? -1, ours, theirs]) closeSync(each)
  t.end()
})
