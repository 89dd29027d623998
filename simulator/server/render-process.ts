/** A child process of the preview store: synthesises one preview at a time. Started, never imported. */
import workerpool from 'workerpool';
import { createWorld, type WorldOptions } from '../world/world.ts';
import { type RenderTask, renderToFile } from './render.ts';

// Ctrl-C in a terminal goes to every process of the group. The parent decides when its children end.
process.on('SIGINT', () => {});

const world = createWorld(JSON.parse(process.argv[2]!) as WorldOptions);

workerpool.worker({ render: (task: RenderTask) => renderToFile(world, task) });
