import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UserError } from '../../shared/errors.ts';
import { nouns, parsePublicId, publicId } from '../../shared/identifiers.ts';

test('every public name reads back as what it names', () => {
  const id = fc.integer({ min: 0, max: 999_999_999 });
  fc.assert(
    fc.property(fc.constantFrom(...nouns), id, (noun, number) => {
      expect(parsePublicId(publicId(noun, number), nouns)).toEqual({ noun, id: number });
    }),
  );
});

test('case and blanks around a name do not matter, and a lone noun may be left out', () => {
  expect(parsePublicId(' Data-Set-12 ', ['data-set'])).toEqual({ noun: 'data-set', id: 12 });
  expect(parsePublicId('7', ['model'])).toEqual({ noun: 'model', id: 7 });
});

test.each([
  ['7', ['crawl', 'model']],
  ['model-7', ['crawl']],
  ['model-', ['model']],
  ['model--7', ['model']],
  ['model-1.5', ['model']],
  ['model-1234567890', ['model']],
  ['', ['model']],
  ['constructor-1', ['crawl', 'model']],
] as const)('"%s" is refused where %j can be named, with an example', (text, allowed) => {
  const parse = () => parsePublicId(text, allowed);
  expect(parse).toThrow(UserError);
  expect(parse).toThrow(`${allowed[0]}-3`);
});
