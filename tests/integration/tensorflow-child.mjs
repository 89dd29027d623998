// Trains in a process of its own, from what was built, as the workers do. Argument: the cache folder.
import { loadTensorFlow } from '../../dist/shared/tensorflow/index.js';
import { trainTinyNetwork } from '../unit/tensorflow/tiny-network.mjs';

const { tf, ...loaded } = await loadTensorFlow({ preference: 'cpu', cacheDir: process.argv[2] });
const { losses, weights } = trainTinyNetwork(tf, 20);
console.log(JSON.stringify({ ...loaded, losses, weights }));
