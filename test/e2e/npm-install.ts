/** npm install of local packages without a network: it extracts, renames and links thousands of small files. */
import t from 'tap'
import { openInstallation } from '../helpers/installation.js'
import { onOrdinaryMount, type Vault } from '../helpers/vault.js'

/** Packages of this project that need no other, packed as a registry would serve them. */
const PACKAGES = ['@noble/hashes', 'lru-cache', 'ws']

async function packPackages(vault: Vault): Promise<string[]> {
  const { root } = openInstallation()
  const folders = PACKAGES.map((name) => `${root}/node_modules/${name}`)
  const printed = await npm(vault, vault.environment['TMPDIR'] ?? '', 'pack', '--json', '--ignore-scripts', ...folders)
  const packed = JSON.parse(printed) as { filename: string }[]
  return packed.map(({ filename }) => `${vault.environment['TMPDIR'] ?? ''}/${filename}`)
}

function npm(vault: Vault, directory: string, ...words: string[]): Promise<string> {
  return vault.run('npm', words, { directory, environment: { npm_config_update_notifier: 'false' } })
}

onOrdinaryMount(t, 'npm: packages install offline, are found and are removed', async (t, vault) => {
  const project = `${vault.mountpoint}/project`
  const archives = await packPackages(vault)
  await vault.shell(`mkdir project; echo '{"name":"project","version":"1.0.0","type":"module"}' > project/package.json`)
  // The cache lies on the mount as well: npm renames from there into place.
  const flags = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts', '--cache', `${vault.mountpoint}/cache`]
  await npm(vault, project, 'install', ...flags, ...archives)
  await vault.remount()
  const program =
    "import { LRUCache } from 'lru-cache'; import 'ws'; import '@noble/hashes/sha2.js'; console.log(new LRUCache({ max: 3 }).max)"
  const { node } = openInstallation()
  t.equal(await vault.run(node, ['--input-type=module', '-e', program], { directory: project }), '3\n')
  t.match(await npm(vault, project, 'ls', '--offline'), /lru-cache@/)
  await npm(vault, project, 'ci', ...flags)
  await npm(vault, project, 'uninstall', ...flags, ...PACKAGES)
  t.equal(await vault.shell('find project/node_modules -type f -not -name .package-lock.json | wc -l'), '0\n')
})

/**
 * Packages made here, none of any registry: an application needs one that needs another, and both need one more in
 * versions that differ, so that one of these must lie below its user. `linked` is a folder, which npm links to.
 */
const nested = (folder: string): string => `
  make() { # NAME FOLDER VERSION DEPENDENCIES CODE
    mkdir -p ${folder}/$2
    printf '{"name":"%s","version":"%s","main":"index.js","dependencies":{%s}}' $1 $3 "$4" > ${folder}/$2/package.json
    echo "$5" > ${folder}/$2/index.js
  }
  make leaf leaf1 1.0.0 '' 'module.exports = "leaf 1"'
  make leaf leaf2 2.0.0 '' 'module.exports = "leaf 2"'
  make linked linked 1.0.0 '' 'module.exports = "linked"'
  for name in leaf1 leaf2; do (cd ${folder}/$name && npm pack --silent --pack-destination ${folder} > /dev/null); done
  make branch branch 1.0.0 '"leaf":"file:${folder}/leaf-1.0.0.tgz"' \
    'module.exports = "branch of " + require("leaf")'
  (cd ${folder}/branch && npm pack --silent --pack-destination ${folder} > /dev/null)
  make trunk trunk 1.0.0 '"branch":"file:${folder}/branch-1.0.0.tgz","leaf":"file:${folder}/leaf-2.0.0.tgz"' \
    'module.exports = "trunk of " + require("branch") + " and " + require("leaf")'
  (cd ${folder}/trunk && npm pack --silent --pack-destination ${folder} > /dev/null)`

onOrdinaryMount(
  t,
  'npm: what a package needs is installed with it, two versions of one beside each other',
  async (t, vault) => {
    const folder = `${vault.environment['TMPDIR'] ?? ''}/packages`
    const environment = { npm_config_update_notifier: 'false' }
    await vault.shell(nested(folder), { directory: '/', environment })
    const project = `${vault.mountpoint}/project`
    await vault.shell(`mkdir project; echo '{"name":"project","version":"1.0.0"}' > project/package.json`)
    const flags = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts', '--cache', `${vault.mountpoint}/cache`]
    await npm(vault, project, 'install', ...flags, `${folder}/trunk-1.0.0.tgz`, `${folder}/linked`)
    const { node } = openInstallation()
    const program = 'console.log(require("trunk"), require("linked"), require("leaf"))'
    const expected = 'trunk of branch of leaf 1 and leaf 2 linked leaf 2\n'
    const found = (): Promise<string> => vault.run(node, ['-e', program], { directory: project })
    t.equal(await found(), expected)
    const versions =
      'find project/node_modules -name package.json -path "*leaf*" | sort | xargs grep -ho \'"version":"[^"]*"\''
    t.equal(await vault.shell(versions), '"version":"1.0.0"\n"version":"2.0.0"\n')
    const tree = await npm(vault, project, 'ls', '--all', '--offline')
    await vault.remount()
    t.equal(await found(), expected)
    t.equal(await npm(vault, project, 'ls', '--all', '--offline'), tree)
    await npm(vault, project, 'ci', ...flags)
    t.equal(await found(), expected, 'installed again from the lock file')
  },
)
