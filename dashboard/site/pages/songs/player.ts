/** Plays a part of an excerpt, and of it one band alone, so that an explanation can be heard. */

let audio: AudioContext | null = null;
let source: AudioBufferSourceNode | null = null;
/** Excerpts that are decoded, the newest last: each takes some megabytes. */
const buffers = new Map<string, Promise<AudioBuffer>>();
/** A song, and another one that it is compared with. */
const mostKept = 2;

export interface Stretch {
  /** Seconds within the excerpt. */
  from: number;
  to: number;
  /** Null: all frequencies. */
  band: { fromHz: number; toHz: number } | null;
}

/** Filters one after the other: each falls by 12 dB an octave. */
const steepness = 3;
/** A moment that is cut out clicks; it comes and goes within this time, in seconds. */
const fade = 0.02;

/** Counts what was asked for: only the newest sounds, however long the others took to load. */
let newest = 0;

/**
 * Play a part; what played before stops.
 * @returns whether it went to its end; false: it was stopped, or something else was played
 */
export async function play(url: string, { from, to, band }: Stretch): Promise<boolean> {
  stopPlaying();
  const own = newest;
  audio ??= new AudioContext();
  const context = audio;
  await context.resume();
  const buffer = await loaded(context, url).catch((error) => {
    // Whoever has gone on does not want to hear of it.
    if (own !== newest) return null;
    throw error;
  });
  if (own !== newest || buffer === null) return false;
  const sound = context.createBufferSource();
  sound.buffer = buffer;
  let node: AudioNode = sound;
  if (band) {
    for (let i = 0; i < steepness; i++) {
      node = filtered(context, node, 'highpass', Math.max(20, band.fromHz));
      node = filtered(context, node, 'lowpass', Math.min(buffer.sampleRate / 2 - 100, band.toHz));
    }
  }
  const gain = context.createGain();
  const now = context.currentTime;
  const length = Math.max(0.2, Math.min(to, buffer.duration) - from);
  gain.gain.setValueAtTime(0, now);
  gain.gain.linearRampToValueAtTime(1, now + fade);
  gain.gain.setValueAtTime(1, now + Math.max(fade, length - fade));
  gain.gain.linearRampToValueAtTime(0, now + length);
  node.connect(gain).connect(context.destination);
  source = sound;
  await new Promise<void>((resolve) => {
    sound.onended = () => resolve();
    sound.start(now, Math.max(0, from), length);
  });
  return own === newest;
}

export function stopPlaying(): void {
  newest++;
  source?.stop();
  source = null;
}

function loaded(context: AudioContext, url: string): Promise<AudioBuffer> {
  let loading = buffers.get(url);
  if (!loading) {
    loading = load(context, url);
    loading.catch(() => buffers.delete(url));
    buffers.set(url, loading);
    if (buffers.size > mostKept) buffers.delete(buffers.keys().next().value!);
  }
  return loading;
}

async function load(context: AudioContext, url: string): Promise<AudioBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error('its audio could not be loaded');
  return context.decodeAudioData(await response.arrayBuffer());
}

function filtered(context: AudioContext, node: AudioNode, type: BiquadFilterType, hz: number): AudioNode {
  const filter = context.createBiquadFilter();
  filter.type = type;
  filter.frequency.value = hz;
  return node.connect(filter);
}
