import { PythonPeer, type Took } from '../python-peer.ts';

export type { Took } from '../python-peer.ts';

/** librosa, kept warm. */
export class LibrosaPeer {
  readonly #python: PythonPeer;

  private constructor(python: PythonPeer) {
    this.#python = python;
  }

  /** Install librosa on first use, in a virtual environment under `cacheDir`, and start it. */
  static async start(cacheDir: string): Promise<LibrosaPeer> {
    const packages = ['librosa==0.11.0'];
    return new LibrosaPeer(
      await PythonPeer.start({ cacheDir, name: 'librosa', packages, script: 'bench/librosa/mel.py' }),
    );
  }

  /** Have it make the spectrograms of these files, one after the other. */
  make(paths: string[]): Promise<Took> {
    return this.#python.ask<Took>(paths);
  }

  close(): Promise<void> {
    return this.#python.close();
  }
}
