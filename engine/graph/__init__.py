"""A typed graph of the engine's operations: nodes, connections, a pull executor, JSON."""

from engine.graph.declare import Family, param, port
from engine.graph.definition import NodeDefinition, NodeParam, NodePort
from engine.graph.document import dumps, loads
from engine.graph.errors import GraphError
from engine.graph.graph import Graph
from engine.graph.nodes import NODES
from engine.graph.registry import Registry
from engine.graph.values import NO_OUTPUT, Audio, FrameCurve, Latent, Mask, Model

__all__ = [
    "NODES",
    "NO_OUTPUT",
    "Audio",
    "Family",
    "FrameCurve",
    "Graph",
    "GraphError",
    "Latent",
    "Mask",
    "Model",
    "NodeDefinition",
    "NodeParam",
    "NodePort",
    "Registry",
    "dumps",
    "loads",
    "param",
    "port",
]
