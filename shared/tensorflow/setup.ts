import { reasonOf } from '../errors.ts';
import { type Preference, REMEDY } from './load.ts';
import { hasNvidiaDriver } from './machine.ts';
import { type ProvisionParts, provisionTensorFlow } from './provision.ts';
import type { Accelerator } from './wheels.ts';

export interface SetUpOptions {
  cacheDir: string;
  log: (line: string) => void;
  preference: Preference;
  /** Stand-ins for what is found on the machine, for tests. */
  using?: Partial<ProvisionParts>;
}

export interface SetUpResult {
  /** Whether a native TensorFlow is ready. */
  provisioned: boolean;
  /** One line for people. */
  note: string;
}

/**
 * Make the best TensorFlow ready that this machine allows. Never throws: without a compiler, Python
 * or network the program works on WebAssembly, and the note says how to get the fast one.
 */
export async function setUpTensorFlow(options: SetUpOptions): Promise<SetUpResult> {
  const { preference, cacheDir, log, using = {} } = options;
  if (preference === 'wasm')
    return { provisioned: false, note: 'TensorFlow will run as WebAssembly, as the settings ask' };
  const problems: string[] = [];
  for (const accelerator of accelerators(preference)) {
    try {
      const { version, gpu } = await provisionTensorFlow({ cacheDir, log, accelerator, using });
      const unused = accelerator === 'gpu' && gpu === false ? ', but it finds no GPU that it can use' : '';
      const missed = problems.map((problem) => ` (for the GPU: ${problem})`).join('');
      const note = `TensorFlow ${version} for ${accelerator.toUpperCase()} is ready${unused}${missed}`;
      return { provisioned: true, note };
    } catch (error) {
      problems.push(reasonOf(error));
    }
  }
  const fallback = `TensorFlow will run as WebAssembly, several times slower; mend that and ${REMEDY}`;
  const refused = `TENSORFLOW=${preference} cannot be met; mend that and ${REMEDY}`;
  const consequence = preference === 'auto' ? fallback : refused;
  return { provisioned: false, note: `${problems.join('; ')}: ${consequence}` };
}

function accelerators(preference: 'auto' | 'gpu' | 'cpu'): readonly Accelerator[] {
  if (preference !== 'auto') return [preference];
  return hasNvidiaDriver() ? ['gpu', 'cpu'] : ['cpu'];
}
