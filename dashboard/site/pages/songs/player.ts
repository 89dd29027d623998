/** Plays a part of an excerpt, and of it one band alone, so that an explanation can be heard. */

let audio: AudioContext | null = null;
let source: AudioBufferSourceNode | null = null;
const buffers = new Map<string, Promise<AudioBuffer>>();

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

/** @returns when it has ended or was stopped */
export async function play(url: string, { from, to, band }: Stretch): Promise<void> {
  stopPlaying();
  audio ??= new AudioContext();
  await audio.resume();
  let loading = buffers.get(url);
  if (!loading) {
    loading = load(audio, url);
    loading.catch(() => buffers.delete(url));
    buffers.set(url, loading);
  }
  const buffer = await loading;
  const own = audio.createBufferSource();
  own.buffer = buffer;
  let node: AudioNode = own;
  if (band) {
    for (let i = 0; i < steepness; i++) {
      node = filtered(audio, node, 'highpass', Math.max(20, band.fromHz));
      node = filtered(audio, node, 'lowpass', Math.min(buffer.sampleRate / 2 - 100, band.toHz));
    }
  }
  const gain = audio.createGain();
  const now = audio.currentTime;
  const length = Math.max(0.2, Math.min(to, buffer.duration) - from);
  gain.gain.setValueAtTime(0, now);
  gain.gain.linearRampToValueAtTime(1, now + fade);
  gain.gain.setValueAtTime(1, now + Math.max(fade, length - fade));
  gain.gain.linearRampToValueAtTime(0, now + length);
  node.connect(gain).connect(audio.destination);
  source = own;
  await new Promise<void>((resolve) => {
    own.onended = () => resolve();
    own.start(now, Math.max(0, from), length);
  });
}

export function stopPlaying(): void {
  try {
    source?.stop();
  } catch {
    // had not begun
  }
  source = null;
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
