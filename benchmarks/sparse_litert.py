"""A plan of convolutions as a LiteRT model: the flatbuffer is written with the package's own schema.

Images become height, width, channel; batch is one. Paddings must be what LiteRT calls SAME or VALID.
"""

import importlib
from typing import Any

import numpy as np

from pomona.compile.sparse.plan import Plan, Step


def litert_model(plan: Plan) -> bytes:
    """The file's bytes for a plan of convolutions, depthwise and 1x1, pools, means, sums and dense layers.

    Raises NotImplementedError for other steps, activations and paddings.
    """
    return _Writer(plan).written()


class _Writer:
    def __init__(self, plan: Plan):
        self.schema: Any = importlib.import_module("ai_edge_litert.schema_py_generated")
        self.plan = plan
        self.buffers: list[Any] = [self.schema.BufferT()]
        self.tensors: list[Any] = []
        self.operators: list[Any] = []
        self.codes: list[int] = []
        self.places: dict[str, int] = {}

    def written(self) -> bytes:
        """The finished file."""
        import flatbuffers

        schema = self.schema
        inputs = [self.activation(tensor.name) for tensor in self.plan.inputs]
        for step in self.plan.steps:
            self.step(step)
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = inputs, [self.places[name] for name in self.plan.outputs]
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [graph], self.buffers
        model.operatorCodes = [self.code(number) for number in self.codes]
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def step(self, step: Step) -> None:
        """Adds the operator, or two with a residual."""
        writers = {
            "convolution": self.convolution,
            "pointwise": self.convolution,
            "depthwise": self.depthwise,
            "max_pool": self.max_pool,
            "global_average_pool": self.mean,
            "linear": self.linear,
            "add": self.add,
        }
        if step.op not in writers:
            raise NotImplementedError(f"no writer for {step.op}")
        writers[step.op](step)
        if step.activation in ("sigmoid", "gelu"):
            self.activated(step)

    def convolution(self, step: Step) -> None:
        weight = step.weights["weight"]
        kernels = weight.reshape(*weight.shape[:2], *(weight.shape[2:] or (1, 1)))
        options = self.schema.Conv2DOptionsT()
        options.strideH, options.strideW = step.settings.get("stride", (1, 1))
        options.dilationHFactor = options.dilationWFactor = 1
        options.padding = self.padding(step, kernels.shape[2])
        is_apart = step.residual is not None
        options.fusedActivationFunction = 0 if is_apart else self.fused(step)
        inputs = [self.source(step), self.constant(kernels.transpose(0, 2, 3, 1)), self.bias(step)]
        output = self.activation(step.output + ("/sum" if is_apart else ""), like=step.output)
        builtin = self.schema.BuiltinOptions
        self.operator(self.schema.BuiltinOperator.CONV_2D, inputs, output, builtin.Conv2DOptions, options)
        if step.residual is not None:
            self.sum(step, [output, self.places[step.residual]])

    def add(self, step: Step) -> None:
        self.sum(step, [self.places[name] for name in step.inputs])

    def sum(self, step: Step, inputs: list[int]) -> None:
        options = self.schema.AddOptionsT()
        options.fusedActivationFunction = self.fused(step)
        kind, end = self.schema.BuiltinOptions.AddOptions, self.activation(step.output)
        self.operator(self.schema.BuiltinOperator.ADD, inputs, end, kind, options)

    def source(self, step: Step) -> int:
        """What the step reads, its channels scaled where it says so."""
        if step.scale is None:
            return self.places[step.inputs[0]]
        inputs = [self.places[step.inputs[0]], self.places[step.scale]]
        output = self.activation(f"{step.output}/scaled", like=step.inputs[0])
        kind, options = self.schema.BuiltinOptions.MulOptions, self.schema.MulOptionsT()
        self.operator(self.schema.BuiltinOperator.MUL, inputs, output, kind, options)
        return output

    def activated(self, step: Step) -> None:
        """The activation of what the step wrote, an operator of its own."""
        source, builtin = self.places[step.output], self.schema.BuiltinOptions
        output = self.activation(step.output)
        if step.activation == "gelu":
            kind, options = builtin.GeluOptions, self.schema.GeluOptionsT()
            self.operator(self.schema.BuiltinOperator.GELU, [source], output, kind, options)
        else:
            self.operator(self.schema.BuiltinOperator.LOGISTIC, [source], output, builtin.NONE, None)

    def depthwise(self, step: Step) -> None:
        weight = step.weights["weight"]
        options = self.schema.DepthwiseConv2DOptionsT()
        options.strideH, options.strideW = step.settings["stride"]
        options.dilationHFactor = options.dilationWFactor = options.depthMultiplier = 1
        options.padding = self.padding(step, weight.shape[1])
        options.fusedActivationFunction = self.fused(step)
        inputs = [
            self.places[step.inputs[0]],
            self.constant(weight.transpose(1, 2, 0)[None]),
            self.bias(step),
        ]
        schema = self.schema
        kind = schema.BuiltinOptions.DepthwiseConv2DOptions
        output = self.activation(step.output)
        self.operator(schema.BuiltinOperator.DEPTHWISE_CONV_2D, inputs, output, kind, options)

    def mean(self, step: Step) -> None:
        options = self.schema.ReducerOptionsT()
        options.keepDims = False
        inputs = [self.places[step.inputs[0]], self.constant(np.array([1, 2], np.int32))]
        kind = self.schema.BuiltinOptions.ReducerOptions
        output = self.activation(step.output)
        self.operator(self.schema.BuiltinOperator.MEAN, inputs, output, kind, options)

    def max_pool(self, step: Step) -> None:
        options = self.schema.Pool2DOptionsT()
        options.filterHeight, options.filterWidth = size = step.settings["kernel"]
        options.strideH, options.strideW = step.settings["stride"]
        options.padding = self.padding(step, size[0])
        kind, schema = self.schema.BuiltinOptions.Pool2DOptions, self.schema
        output = self.activation(step.output)
        inputs = [self.places[step.inputs[0]]]
        self.operator(schema.BuiltinOperator.MAX_POOL_2D, inputs, output, kind, options)

    def linear(self, step: Step) -> None:
        options = self.schema.FullyConnectedOptionsT()
        options.fusedActivationFunction = self.fused(step)
        inputs = [self.places[step.inputs[0]], self.constant(step.weights["weight"]), self.bias(step)]
        schema = self.schema
        kind = schema.BuiltinOptions.FullyConnectedOptions
        output = self.activation(step.output)
        self.operator(schema.BuiltinOperator.FULLY_CONNECTED, inputs, output, kind, options)

    def operator(self, number: int, inputs: list[int], output: int, kind: int, options: Any) -> None:
        if number not in self.codes:
            self.codes.append(number)
        operator = self.schema.OperatorT()
        operator.opcodeIndex = self.codes.index(number)
        operator.inputs, operator.outputs = inputs, [output]
        operator.builtinOptionsType, operator.builtinOptions = kind, options
        self.operators.append(operator)

    def code(self, number: int) -> Any:
        code = self.schema.OperatorCodeT()
        # the older field is a byte that ends at 127, which means: read the newer one
        code.builtinCode, code.deprecatedBuiltinCode = number, min(number, 127)
        code.version = 1
        return code

    def activation(self, name: str, like: str = "") -> int:
        """The tensor of a plan's tensor, by its name."""
        shape = self.plan.shape(like or name)
        moved = (1, *shape[1:], shape[0]) if len(shape) == 3 else (1, *shape)
        self.places[name] = self.tensor(name, moved, 0, self.schema.TensorType.FLOAT32)
        return self.places[name]

    def constant(self, values: np.ndarray) -> int:
        buffer = self.schema.BufferT()
        buffer.data = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
        self.buffers.append(buffer)
        types = self.schema.TensorType
        kind = types.INT32 if values.dtype == np.int32 else types.FLOAT32
        return self.tensor(f"c{len(self.buffers)}", values.shape, len(self.buffers) - 1, kind)

    def bias(self, step: Step) -> int:
        return self.constant(np.asarray(step.weights["bias"], np.float32))

    def tensor(self, name: str, shape: tuple[int, ...], buffer: int, kind: int) -> int:
        tensor = self.schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer, tensor.type = name, list(shape), buffer, kind
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def padding(self, step: Step, size: int) -> int:
        given = step.settings.get("padding", (0, 0, 0, 0))
        height = self.plan.shape(step.inputs[0])[1]
        stride = step.settings.get("stride", (1, 1))
        assert isinstance(given, tuple)
        assert isinstance(stride, tuple)
        needed = max((-(-height // stride[0]) - 1) * stride[0] + size - height, 0)
        if given[:3:2] == (needed // 2, needed - needed // 2):
            return self.schema.Padding.SAME
        if any(given):
            raise NotImplementedError(f"LiteRT has no padding {given} here")
        return self.schema.Padding.VALID

    def fused(self, step: Step) -> int:
        if step.activation in ("none", "sigmoid", "gelu"):
            return 0
        if step.activation != "clip":
            raise NotImplementedError(f"no writer for {step.activation}")
        limits = (step.settings["lower"], step.settings["upper"])
        kinds = self.schema.ActivationFunctionType
        return {(0.0, 6.0): kinds.RELU6, (0.0, float("inf")): kinds.RELU}[limits]
