import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedSet } from './sorted-set.ts';

const ACT = fc.oneof(
  fc.record({ put: fc.nat({ max: 120 }), score: fc.integer({ min: -5, max: 5 }) }),
  fc.record({ remove: fc.nat({ max: 120 }) }),
  fc.constant('pop' as const),
);

test('when members come, move, go and are taken from the front then the set is in order, and knows the rank and score of each', () => {
  fc.assert(
    fc.property(fc.array(ACT, { maxLength: 400, size: 'max' }), (acts) => {
      const set = new SortedSet();
      const scores = new Map<string, number>();
      const expected = () =>
        [...scores]
          .map(([member, score]) => ({ member, score }))
          .sort((a, b) => a.score - b.score || (a.member < b.member ? -1 : 1));
      for (const act of acts) {
        if (act === 'pop') {
          const [first] = set.slice(0, 1);
          expect(first).toEqual(expected()[0]);
          if (first !== undefined) {
            set.remove(first.member);
            scores.delete(first.member);
          }
        } else if ('put' in act) {
          set.put(`${act.put}`, act.score);
          scores.set(`${act.put}`, act.score);
        } else {
          set.remove(`${act.remove}`);
          scores.delete(`${act.remove}`);
        }
        expect(set.size).toBe(scores.size);
      }
      expect(set.slice()).toEqual(expected());
      expect(expected().map(({ member }) => set.rank(member))).toEqual(expected().map((_, i) => i));
      expect(expected().map(({ member }) => set.score(member))).toEqual(expected().map(({ score }) => score));
    }),
    { numRuns: 60 },
  );
});
