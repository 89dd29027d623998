import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ProvisionParts } from '../../../shared/tensorflow/provision.ts';
import type { Wheel } from '../../../shared/tensorflow/wheel.ts';
import type { Distribution } from '../../../shared/tensorflow/wheels.ts';

const require = createRequire(import.meta.url);

/** A binding as small as can be: it tells a version, as the true one does. */
const ADDON = `
#include <node_api.h>
extern "C" int answer();
static napi_value gpu(napi_env env, napi_callback_info) { napi_value v; napi_get_boolean(env, false, &v); return v; }
NAPI_MODULE_INIT() {
  napi_value version, function;
  napi_create_string_utf8(env, answer() == 42 ? "9.9.9" : "0", NAPI_AUTO_LENGTH, &version);
  napi_set_named_property(env, exports, "TF_Version", version);
  napi_create_function(env, nullptr, 0, gpu, nullptr, &function);
  napi_set_named_property(env, exports, "isUsingGpuDevice", function);
  return exports;
}`;

const WRITE_WHEEL = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as wheel:
    for name in ('libone.so', 'libtwo.so'):
        wheel.write(sys.argv[2] + '/' + name, 'tensorflow/' + name)
    wheel.writestr('tensorflow/include/tensorflow/c/c_api.h', '// kept')
    wheel.writestr('tensorflow/include/absl/other.h', '// not kept')
    wheel.writestr('tensorflow/python/big.py', '# not kept')
`;

/**
 * A stand-in for pip and PyPI: a `python3` whose `pip download` copies a wheel and notes the call, and
 * a distribution of two tiny libraries. Unpacking, compiling and loading are the true ones.
 */
export interface FakeMachine {
  folder: string;
  cacheDir: string;
  parts: ProvisionParts;
  /** How often something was downloaded. */
  downloads(): number;
  /** Make an executable script; returns its path. */
  script(name: string, body: string): string;
  /** What the next calls do: `slow` downloads take a second, `broken-unpack` fails, `corrupt` is another file. */
  set(behaviour: 'slow' | 'broken-unpack' | 'corrupt', on: boolean): void;
  remove(): void;
}

export function createFakeMachine(): FakeMachine {
  const folder = mkdtempSync(join(tmpdir(), 'hiphop-tensorflow-'));
  const path = (name: string) => join(folder, name);
  const script = (name: string, body: string) => {
    writeFileSync(path(name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    return path(name);
  };
  writeFileSync(path('one.cc'), 'extern "C" int answer() { return 42; }');
  writeFileSync(path('addon.cc'), ADDON);
  const library = (name: string, ...source: string[]) =>
    execFileSync('g++', [
      '-shared',
      '-fPIC',
      `-Wl,-soname,${name}`,
      '-x',
      'c++',
      ...source,
      '-o',
      path(name),
    ]);
  library('libone.so', path('one.cc'));
  library('libtwo.so', '/dev/null');
  execFileSync('python3', ['-c', WRITE_WHEEL, path('wheel.whl'), folder]);
  const python = script(
    'python3',
    `if [ "$3" = --version ]; then echo "pip 23.2.1 from /somewhere (python 3.11)"; exit; fi
if [ "$1" = -m ]; then
  echo "$*" >> ${path('calls')}
  if [ -e ${path('slow')} ]; then sleep 1; fi
  while [ "$1" != --dest ]; do shift; done
  cp ${path('wheel.whl')} "$2/any-1.0-py3-none-any.whl"
  if [ -e ${path('corrupt')} ]; then echo x >> "$2/any-1.0-py3-none-any.whl"; fi
  exit
fi
if [ -e ${path('broken-unpack')} ]; then echo "OSError: [Errno 28] No space left on device" >&2; exit 1; fi
exec python3 "$@"`,
  );
  const wheel: Wheel = {
    project: 'tiny',
    version: '9.9.9',
    platform: 'any',
    sha256: createHash('sha256')
      .update(readFileSync(path('wheel.whl')))
      .digest('hex'),
    bytes: statSync(path('wheel.whl')).size,
    keptBytes: 100_000,
    keep: ['tensorflow/libone.so', 'tensorflow/libtwo.so', 'tensorflow/include/tensorflow/'],
  };
  const distribution: Distribution = {
    version: '9.9.9',
    accelerator: 'cpu',
    name: '9.9.9-cpu-here',
    libraries: ['libone.so', 'libtwo.so'],
    wheels: [wheel],
  };
  const includes = [dirname(require.resolve('node-api-headers/include/node_api.h'))];
  return {
    folder,
    cacheDir: path('cache'),
    parts: {
      distribution,
      pythons: [python],
      compilers: ['g++'],
      sources: { files: [path('addon.cc')], includes, key: 'first' },
    },
    downloads: () =>
      existsSync(path('calls')) ? readFileSync(path('calls'), 'utf8').trim().split('\n').length : 0,
    script,
    set: (behaviour, on) =>
      on ? writeFileSync(path(behaviour), '') : rmSync(path(behaviour), { force: true }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
