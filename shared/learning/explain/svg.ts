/** Drawing: a few elements of SVG, and a renderer that needs no font of the machine that it runs on. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { initWasm, Resvg } from '@resvg/resvg-wasm';

const require = createRequire(import.meta.url);

/** In pixels, y downwards. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

type Attributes = Readonly<Record<string, string | number>>;

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
// biome-ignore lint/suspicious/noControlCharactersInRegex: XML has none of these, and a file's name may
const unprintable = /[\u0000-\u001f\u007f\ufffe\uffff]|\p{Surrogate}/gu;

function escaped(value: string): string {
  return value.replace(unprintable, '').replace(/[&<>"]/g, (character) => entities[character]!);
}

/** Draw one element; numbers are rounded to hundredths of a pixel. */
export function element(name: string, attributes: Attributes, content = ''): string {
  const written = Object.entries(attributes).map(([key, value]) => {
    const shown = typeof value === 'number' ? String(Math.round(value * 100) / 100) : escaped(value);
    return ` ${key}="${shown}"`;
  });
  return `<${name}${written.join('')}>${content}</${name}>`;
}

export function rectangle(box: Box, attributes: Attributes): string {
  return element('rect', { ...box, ...attributes });
}

export function line(x1: number, y1: number, x2: number, y2: number, attributes: Attributes): string {
  return element('line', { x1, y1, x2, y2, ...attributes });
}

/** Write a line of text; `y` is its baseline. */
export function label(words: string, x: number, y: number, attributes: Attributes): string {
  return element('text', { x, y, ...attributes }, escaped(words));
}

const family = 'DejaVu Sans';
const fontFiles = ['400', '700'].map(
  (weight) => `@fontsource/dejavu-sans/files/dejavu-sans-latin-${weight}-normal.woff2`,
);

let starting: Promise<Uint8Array[]> | undefined;

async function start(): Promise<Uint8Array[]> {
  await initWasm(await readFile(require.resolve('@resvg/resvg-wasm/index_bg.wasm')));
  return Promise.all(fontFiles.map((file) => readFile(require.resolve(file))));
}

/** Render elements on white. @returns a PNG file. */
export async function renderPng(
  width: number,
  height: number,
  content: readonly string[],
): Promise<Uint8Array> {
  starting ??= start();
  const fontBuffers = await starting;
  const background = rectangle({ x: 0, y: 0, width, height }, { fill: '#ffffff' });
  const svg = element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', width, height, 'font-family': family },
    [background, ...content].join(''),
  );
  const drawing = new Resvg(svg, { font: { fontBuffers, defaultFontFamily: family } });
  try {
    const image = drawing.render();
    try {
      return image.asPng();
    } finally {
      image.free();
    }
  } finally {
    drawing.free();
  }
}
