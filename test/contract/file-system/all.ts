/** Every subject of the contract. */
import { directoriesContract } from './directories.js'
import { linksContract } from './links.js'
import { namesContract } from './names.js'
import { openContract } from './open.js'
import { renameContract } from './rename.js'

export const allSubjects = [namesContract, directoriesContract, openContract, linksContract, renameContract]
