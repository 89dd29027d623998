/** One Python wheel on PyPI, pinned. */
export interface Wheel {
  /** The project and version as pip is asked for them. */
  project: string;
  version: string;
  /** Platform tag, as `pip download --platform` wants it. */
  platform: string;
  sha256: string;
  /** Size of the wheel, in bytes. */
  bytes: number;
  /** Size on disk of what is kept of it, in bytes, rounded up. */
  keptBytes: number;
  /** What is kept: paths in the wheel, a folder when it ends in '/'; `*` stands for one name. */
  keep: readonly string[];
}
