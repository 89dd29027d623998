// Provisions in a process of its own, from what was built. Argument: the options as JSON.
import { provisionTensorFlow } from '../../../dist/shared/tensorflow/index.js';

const options = JSON.parse(process.argv[2]);
const result = await provisionTensorFlow({ ...options, log: (line) => console.log(line) });
console.log(JSON.stringify(result));
