// The area under the ROC curve of scores that lie on the host.

/**
 * How likely a positive (label 1) has a larger score than a negative (label 0); equal scores count half. Of scores that are 0 or 1,
 * answers, it is the mean of the shares of right ones among both.
 *
 * (Σ mid-ranks of positives − P(P + 1) / 2) / (P · N)
 */
export function areaUnderCurve(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  let [positives, ranks] = [0, 0];
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && scores[order[to]!] === scores[order[from]!]) to++;
    for (let i = from; i < to; i++) {
      if (labels[order[i]!] !== 1) continue;
      positives++;
      // Ranks count from 1; equals share the mean of theirs.
      ranks += (from + 1 + to) / 2;
    }
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * (order.length - positives));
}
