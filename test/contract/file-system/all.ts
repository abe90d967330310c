/** Every subject of the contract. */
import { accessListsContract } from './access-lists.js'
import { allocationContract } from './allocation.js'
import { attributesContract } from './attributes.js'
import { contentsContract } from './contents.js'
import { directoriesContract } from './directories.js'
import { linksContract } from './links.js'
import { listingContract } from './listing.js'
import { namesContract } from './names.js'
import { openContract } from './open.js'
import { ownershipContract } from './ownership.js'
import { pathsContract } from './paths.js'
import { renameContract } from './rename.js'
import { specialFilesContract } from './special-files.js'
import { timesContract } from './times.js'
import { unlinkedContract } from './unlinked.js'

export const allSubjects = [
  namesContract,
  directoriesContract,
  openContract,
  linksContract,
  renameContract,
  timesContract,
  ownershipContract,
  contentsContract,
  allocationContract,
  attributesContract,
  accessListsContract,
  specialFilesContract,
  unlinkedContract,
  listingContract,
  pathsContract,
]
