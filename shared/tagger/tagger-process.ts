/** The child process of a `Tagger`. Started, never imported; it ends when its parent does. */
import workerpool from 'workerpool';
import { type LoadedTagger, type LoadTaggerOptions, loadTagger } from './load.ts';

let loading: Promise<LoadedTagger> | undefined;

/** What could not be loaded is tried again: it may have been set up meanwhile. */
function tagger(options: LoadTaggerOptions): Promise<LoadedTagger> {
  loading ??= loadTagger(options).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function describe(options: LoadTaggerOptions): Promise<string> {
  return (await tagger(options)).backend;
}

async function embed(options: LoadTaggerOptions, logMel: Float32Array): Promise<Float32Array> {
  return (await tagger(options)).embed(logMel);
}

async function embedPatches(options: LoadTaggerOptions, patches: Float32Array): Promise<Float32Array> {
  return (await tagger(options)).embedPatches(patches);
}

// Standard output belongs to the parent's reports; whatever a library prints goes to standard error.
process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
// Ctrl-C reaches the whole group: it is the parent that decides, and its end is this process's end.
process.on('SIGINT', () => {});
// What is sent to a parent that is gone fails here before its end is noticed.
process.on('error', () => process.exit(1));

workerpool.worker({ describe, embed, embedPatches });
