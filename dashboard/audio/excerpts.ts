/**
 * Decoding for the ear, in child processes: this server never opens a file from outside itself. One file at
 * a time, and its bytes are read when its turn has come: an upload may have hundreds of megabytes.
 */
import { LRUCache } from 'lru-cache';
import type { SpectrogramParameters } from '../../shared/audio/parameters.ts';
import { SpectrogramPool } from '../../shared/audio/pool.ts';
import type { Config } from '../../shared/config.ts';
import { Turns } from '../../shared/turns.ts';

/** What was listened to lately is kept: its bytes in all, and for how long, in milliseconds. */
const keptBytes = 32_000_000;
const keptMs = 10 * 60_000;
/** Who comes when so many excerpts wait already is asked to come again. */
const mostWaiting = 20;

export interface ExcerptAsked {
  contentHash: string;
  parametersHash: string;
  parameters: SpectrogramParameters;
  /** Reads the whole audio file; null where it is not kept. */
  load: () => Promise<Uint8Array | null>;
  /** Aborted when who asked has gone. */
  signal: AbortSignal;
}

type Decode = SpectrogramPool['makeExcerptWav'];

interface Making {
  made: Promise<Uint8Array | null>;
  /** How many wait for it; when all have gone it is given up. */
  listeners: number;
  giveUp: AbortController;
}

/** Excerpts by what they are made of: asked for twice at once, one is made once. */
export class Excerpts {
  readonly #decode: Decode;
  readonly #turns = new Turns(1, mostWaiting);
  readonly #making = new Map<string, Making>();
  readonly #kept = new LRUCache<string, Uint8Array>({
    ...{ maxSize: keptBytes, sizeCalculation: (wav) => wav.byteLength, ttl: keptMs, ttlAutopurge: true },
  });

  constructor(decode: Decode) {
    this.#decode = decode;
  }

  /**
   * The excerpt as a WAV file; null where the audio is not kept.
   * @throws PermanentError when the audio cannot be used
   * @throws CrowdedError when too many are asked for
   */
  async get(asked: ExcerptAsked): Promise<Uint8Array | null> {
    const key = `${asked.contentHash} ${asked.parametersHash}`;
    const kept = this.#kept.get(key);
    if (kept) return kept;
    let making = this.#making.get(key);
    if (!making) {
      making = this.#make(key, asked);
      this.#making.set(key, making);
    }
    return this.#await(making, asked.signal);
  }

  #make(key: string, { load, parameters }: ExcerptAsked): Making {
    const giveUp = new AbortController();
    const made = this.#turns
      .run(async () => {
        const bytes = await load();
        return bytes && this.#decode(bytes, parameters, giveUp.signal);
      }, giveUp.signal)
      .then((wav) => {
        if (wav) this.#kept.set(key, wav);
        return wav;
      })
      .finally(() => {
        if (this.#making.get(key)?.giveUp === giveUp) this.#making.delete(key);
      });
    return { made, listeners: 0, giveUp };
  }

  async #await(making: Making, signal: AbortSignal): Promise<Uint8Array | null> {
    making.listeners++;
    const leave = () => {
      if (--making.listeners > 0) return;
      making.giveUp.abort();
      // Who asks from now on begins anew.
      for (const [key, other] of this.#making) if (other === making) this.#making.delete(key);
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    try {
      return await making.made;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }
}

let open: { pool: SpectrogramPool; excerpts: Excerpts } | null = null;

/** The excerpts of this process, with a decoder that starts when something is first listened to. */
export function excerptsOf({ audio }: Pick<Config, 'audio'>): Excerpts {
  if (!open) {
    const pool = new SpectrogramPool({ processes: 1, timeoutSeconds: audio.timeoutSeconds });
    open = { pool, excerpts: new Excerpts((...task) => pool.makeExcerptWav(...task)) };
  }
  return open.excerpts;
}

export async function closeExcerpts(): Promise<void> {
  const closing = open;
  open = null;
  await closing?.pool.close();
}
