/**
 * Ops: each operator beside its derivative. `dy` is the gradient of the loss with respect to the operator's output.
 * Derivatives are checked against central finite differences in the test. Knows nothing of models.
 */
import { type Graph, type Shape, size, type Tensor } from './graph.ts'

const MICROSOFT = 'com.microsoft'

/** General matrix product alpha * A' B' + addend, where ' transposes when asked. Both are matrices. */
export function gemm(
  graph: Graph,
  a: Tensor,
  b: Tensor,
  options: { transposeA?: boolean; transposeB?: boolean; alpha?: number; addend?: Tensor } = {},
): Tensor {
  const rows = a.shape[options.transposeA ? 1 : 0]!
  const columns = b.shape[options.transposeB ? 0 : 1]!
  const attributes = {
    ...(options.transposeA ? { transA: 1 } : {}),
    ...(options.transposeB ? { transB: 1 } : {}),
    ...(options.alpha === undefined ? {} : { alpha: { float: options.alpha } }),
  }
  return graph.node('Gemm', options.addend ? [a, b, options.addend] : [a, b], [rows, columns], attributes)
}

/** y[n, out] = x[n, in] w[out, in]^T. */
export function linear(graph: Graph, x: Tensor, w: Tensor): Tensor {
  const y = gemm(graph, x, w, { transposeB: true })
  return graph.differentiable(y, [x, w], (dy) => [
    x.differentiable ? gemm(graph, dy, w) : undefined,
    w.differentiable ? gemm(graph, dy, x, { transposeA: true }) : undefined,
  ])
}

/** Elementwise sum of two tensors of one shape. */
export function add(graph: Graph, a: Tensor, b: Tensor): Tensor {
  return graph.differentiable(graph.node('Add', [a, b], a.shape), [a, b], (dy) => [dy, dy])
}

/** Elementwise product of two tensors of one shape. */
export function multiply(graph: Graph, a: Tensor, b: Tensor): Tensor {
  const times = (dy: Tensor, other: Tensor) => graph.node('Mul', [dy, other], a.shape)
  return graph.differentiable(times(a, b), [a, b], (dy) => [a.differentiable ? times(dy, b) : undefined, b.differentiable ? times(dy, a) : undefined])
}

/** Sum of all elements, a scalar. */
export function sum(graph: Graph, x: Tensor): Tensor {
  const axes = graph.integers(x.shape.map((_, index) => index))
  const y = graph.node('ReduceSum', [x, axes], [], { keepdims: 0 })
  return graph.differentiable(y, [x], (dy) => [graph.node('Expand', [dy, graph.integers(x.shape)], x.shape)])
}

export function reshape(graph: Graph, x: Tensor, shape: Shape): Tensor {
  const plain = (tensor: Tensor, to: Shape) => graph.node('Reshape', [tensor, graph.integers(to)], to)
  return graph.differentiable(plain(x, shape), [x], (dy) => [plain(dy, x.shape)])
}

export function transpose(graph: Graph, x: Tensor, permutation: readonly number[]): Tensor {
  const shape = permutation.map((axis) => x.shape[axis]!)
  const inverse = permutation.map((_, axis) => permutation.indexOf(axis))
  const y = graph.node('Transpose', [x], shape, { perm: { integers: permutation } })
  return graph.differentiable(y, [x], (dy) => [graph.node('Transpose', [dy], x.shape, { perm: { integers: inverse } })])
}

/** Rows of a matrix by index: y[i, :] = table[index[i], :]. Rows may repeat; their gradients add up. */
export function gatherRows(graph: Graph, table: Tensor, index: Tensor): Tensor {
  const count = size(index.shape)
  const y = graph.node('Gather', [table, index], [...index.shape, table.shape[1]!], { axis: 0 })
  return graph.differentiable(y, [table], (dy) => {
    const zeros = graph.node('Expand', [graph.scalar(0), graph.integers(table.shape)], table.shape)
    const places = graph.node('Reshape', [index, graph.integers([count, 1])], [count, 1])
    const rows = graph.node('Reshape', [dy, graph.integers([count, table.shape[1]!])], [count, table.shape[1]!])
    return [graph.node('ScatterND', [zeros, places, rows], table.shape, { reduction: 'add' })]
  })
}

/** Root-mean-square normalisation over the last axis of a matrix (Zhang and Sennrich 2019): y = x / rms(x) * gain. */
export function rmsNorm(graph: Graph, x: Tensor, gain: Tensor, epsilon: number): Tensor {
  const [rows, width] = x.shape as [number, number]
  const last = graph.integers([1])
  const [y, inverse] = graph.nodeOf('SimplifiedLayerNormalization', [x, gain], [x.shape, [rows, 1]], {
    axis: -1,
    epsilon: { float: epsilon },
    stash_type: 1,
  }) as [Tensor, Tensor]
  return graph.differentiable(y, [x, gain], (dy) => {
    const scaled = graph.node('Mul', [dy, gain], x.shape)
    // dx = (h - x * inverse^2 * mean(h * x)) * inverse, with h = dy * gain.
    const mean = graph.node('ReduceMean', [graph.node('Mul', [scaled, x], x.shape), last], [rows, 1], { keepdims: 1 })
    const squared = graph.node('Mul', [inverse, inverse], [rows, 1])
    const factor = graph.node('Mul', [mean, squared], [rows, 1])
    const inner = graph.node('Sub', [scaled, graph.node('Mul', [x, factor], x.shape)], x.shape)
    const dx = x.differentiable ? graph.node('Mul', [inner, inverse], x.shape) : undefined
    if (!gain.differentiable) return [dx, undefined]
    const normal = graph.node('Mul', [x, inverse], x.shape)
    return [dx, graph.node('ReduceSum', [graph.node('Mul', [dy, normal], x.shape), graph.integers([0])], [width], { keepdims: 0 })]
  })
}

/**
 * Rotary position embedding (Su et al. 2021) of x[batch, heads, length, width]. `cosine` and `sine` are tables
 * [positions, width / 2], `positions` is [batch, length]. Interleaved turns pairs (2i, 2i + 1); half-split (i, i + width / 2).
 * A rotation's derivative is the rotation back, by the negated sine.
 */
export function rotary(
  graph: Graph,
  x: Tensor,
  options: { positions: Tensor; cosine: Tensor; sine: Tensor; negativeSine: Tensor; form: 'interleaved' | 'half-split' },
): Tensor {
  const turn = (tensor: Tensor, sine: Tensor) =>
    graph.node(
      'RotaryEmbedding',
      [tensor, options.positions, options.cosine, sine],
      x.shape,
      { interleaved: options.form === 'interleaved' ? 1 : 0 },
      MICROSOFT,
    )
  return graph.differentiable(turn(x, options.sine), [x], (dy) => [turn(dy, options.negativeSine)])
}

/** SwiGLU (Shazeer 2020): silu(gate) * up. */
export function swiglu(graph: Graph, gate: Tensor, up: Tensor): Tensor {
  const node = (operator: string, ...inputs: Tensor[]) => graph.node(operator, inputs, gate.shape)
  const activated = graph.node('QuickGelu', [gate], gate.shape, { alpha: { float: 1 } }, MICROSOFT)
  return graph.differentiable(node('Mul', activated, up), [gate, up], (dy) => {
    // silu'(g) = s + sigmoid(g) * (1 - s), with s = silu(g).
    const slope = node('Add', activated, node('Mul', node('Sigmoid', gate), node('Sub', graph.scalar(1), activated)))
    return [gate.differentiable ? node('Mul', node('Mul', dy, up), slope) : undefined, up.differentiable ? node('Mul', dy, activated) : undefined]
  })
}

/**
 * Scaled dot-product attention with grouped queries: q[batch, heads, queries, width], k and v[batch, groups, keys, width],
 * additive mask[batch, 1, queries, keys]. The queries of a group are stacked, so keys and values are never copied.
 */
export function attention(graph: Graph, q: Tensor, k: Tensor, v: Tensor, mask: Tensor): Tensor {
  const [batch, heads, queries, width] = q.shape as [number, number, number, number]
  const [, groups, keys] = k.shape as [number, number, number, number]
  const scale = 1 / Math.sqrt(width)
  const stacked = [batch, groups, (heads / groups) * queries] as const
  const product = (a: Tensor, b: Tensor, shape: Shape, options: { transA?: number; transB?: number; alpha?: number }) =>
    graph.node('FusedMatMul', [a, b], shape, { transA: options.transA ?? 0, transB: options.transB ?? 0, alpha: { float: options.alpha ?? 1 } }, MICROSOFT)
  const as = (tensor: Tensor, shape: Shape) => graph.node('Reshape', [tensor, graph.integers(shape)], shape)
  const query = as(q, [...stacked, width])
  const scores = as(product(query, k, [...stacked, keys], { transB: 1, alpha: scale }), [batch, heads, queries, keys])
  const shares = as(graph.node('Softmax', [graph.node('Add', [scores, mask], scores.shape)], scores.shape, { axis: -1 }), [...stacked, keys])
  const mixed = product(shares, v, [...stacked, width], {})
  const y = as(mixed, q.shape)
  return graph.differentiable(y, [q, k, v], (gradient) => {
    const dy = as(gradient, [...stacked, width])
    const dShares = product(dy, v, [...stacked, keys], { transB: 1 })
    // sum over keys of shares * dShares equals sum over width of y * dy (Dao et al. 2022), which is shorter.
    const meeting = graph.node('ReduceSum', [graph.node('Mul', [dy, as(y, dy.shape)], dy.shape), graph.integers([3])], [...stacked, 1], { keepdims: 1 })
    const dScores = graph.node('Mul', [shares, graph.node('Sub', [dShares, meeting], dShares.shape)], shares.shape)
    return [
      q.differentiable ? as(product(dScores, k, [...stacked, width], { alpha: scale }), q.shape) : undefined,
      k.differentiable ? product(dScores, query, k.shape, { transA: 1, alpha: scale }) : undefined,
      v.differentiable ? product(shares, dy, v.shape, { transA: 1 }) : undefined,
    ]
  })
}

/**
 * Cross-entropy of next-token logits hidden[n, width] matrix[classes, width]^T against labels[n] (int64), a scalar:
 * -sum(weights * log softmax(logits)[label]). Rows of weight zero are padding. Product and loss are one operator because
 * the derivative by way of the probabilities p, weights * (p matrix - matrix[label]), needs no further pass over [n, classes].
 * `offset` [n, classes] is added to the logits: a large negative number says that a class is no choice.
 * `right`, a scalar, is the weight of the rows whose likeliest class is the label; who does not ask for it does not pay for it.
 */
export function linearCrossEntropy(
  graph: Graph,
  hidden: Tensor,
  matrix: Tensor,
  targets: { labels: Tensor; weights: Tensor; offset?: Tensor },
): { loss: Tensor; right: Tensor } {
  const { labels, weights, offset } = targets
  const [n, width] = hidden.shape as [number, number]
  const classes = matrix.shape[0]!
  const logits = gemm(graph, hidden, matrix, { transposeB: true, ...(offset ? { addend: offset } : {}) })
  const logarithms = graph.node('LogSoftmax', [logits], logits.shape, { axis: -1 })
  const column = (tensor: Tensor) => graph.node('Reshape', [tensor, graph.integers([n, 1])], [n, 1])
  const weight = column(weights)
  const chosen = graph.node('GatherElements', [logarithms, column(labels)], [n, 1], { axis: 1 })
  const sum = (rows: Tensor) => graph.node('ReduceSum', [graph.node('Mul', [rows, weight], [n, 1]), graph.integers([0, 1])], [], { keepdims: 0 })
  const likeliest = graph.node('ArgMax', [logarithms], [n, 1], { axis: 1, keepdims: 1 })
  const right = sum(graph.node('Cast', [graph.node('Equal', [likeliest, column(labels)], [n, 1])], [n, 1], { to: 1 }))
  const loss = graph.differentiable(graph.node('Neg', [sum(chosen)], []), [hidden, matrix], (dy) => {
    const share = graph.node('Mul', [weight, dy], [n, 1])
    const probabilities = graph.node('Exp', [logarithms], logits.shape)
    const taken = graph.node('Gather', [matrix, labels], [n, width], { axis: 0 })
    const away = graph.node('Sub', [gemm(graph, probabilities, matrix), taken], [n, width])
    if (!matrix.differentiable) return [graph.node('Mul', [away, share], [n, width]), undefined]
    const shared = graph.node('Mul', [hidden, share], [n, width])
    const expected = gemm(graph, probabilities, shared, { transposeA: true })
    const back = graph.node('Neg', [shared], [n, width])
    return [
      hidden.differentiable ? graph.node('Mul', [away, share], [n, width]) : undefined,
      graph.node('ScatterND', [expected, column(labels), back], [classes, width], { reduction: 'add' }),
    ]
  })
  return { loss, right }
}
