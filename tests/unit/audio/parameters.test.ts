import { describe, expect, it } from 'vitest';
import { parametersHash, spectrogramParameters } from '../../../shared/audio/parameters.ts';

describe('parametersHash', () => {
  it('is 16 hexadecimal characters, whatever the order of the keys', () => {
    const parameters = spectrogramParameters();
    const turned = Object.fromEntries(Object.entries(parameters).reverse()) as typeof parameters;
    expect(parametersHash(parameters)).toMatch(/^[0-9a-f]{16}$/);
    expect(parametersHash(turned)).toBe(parametersHash(parameters));
  });

  it('changes with each parameter', () => {
    const parameters = spectrogramParameters();
    const hashes = Object.keys(parameters).map((key) => parametersHash({ ...parameters, [key]: 7 }));
    expect(new Set([parametersHash(parameters), ...hashes]).size).toBe(1 + hashes.length);
  });

  it('names the defaults as it always did, or all stored spectrograms would be made again', () => {
    expect(parametersHash(spectrogramParameters())).toBe('b4d433f637fa63d3');
  });
});

describe('spectrogramParameters', () => {
  it('refuses excerpts that are too short or too long', () => {
    expect(() => spectrogramParameters({ seconds: 0.5 })).toThrow(RangeError);
    expect(() => spectrogramParameters({ seconds: 601 })).toThrow(RangeError);
    expect(() => spectrogramParameters({ seconds: Number.NaN })).toThrow(RangeError);
  });
});
