// The binding of tfjs-node with two functions more:
//
//   addFunction(name, graphDef, inputs, outputs)
//   removeFunction(name)
//
// The first makes a TensorFlow function out of a graph; from then on its name can be executed like that
// of an operation. `graphDef` is a serialised GraphDef (Uint8Array); `inputs` and `outputs` name the
// graph's tensors as "node:index", separated by commas.
#include <node_api.h>

// The registration of the included file is left out: its initialiser is called from the one below.
#undef NAPI_MODULE
#define NAPI_MODULE(name, initialiser)
#include "binding/tfjs_binding.cc"

#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

namespace {

// The context is a private member. An explicit instantiation may name one ([temp.spec.general]), and
// hands it out here, which spares a patched copy of the class.
TFE_Context *TFE_ContextOf(tfnodejs::TFJSBackend *backend);
template <TFE_Context *tfnodejs::TFJSBackend::*member>
struct ContextAccess {
  friend TFE_Context *TFE_ContextOf(tfnodejs::TFJSBackend *backend) { return backend->*member; }
};
template struct ContextAccess<&tfnodejs::TFJSBackend::tfe_context_>;

struct Status {
  TF_Status *status = TF_NewStatus();
  ~Status() { TF_DeleteStatus(status); }
  bool ok() const { return TF_GetCode(status) == TF_OK; }
};

struct Graph {
  TF_Graph *graph = TF_NewGraph();
  ~Graph() { TF_DeleteGraph(graph); }
};

napi_value Throw(napi_env env, const std::string &message) {
  napi_throw_error(env, nullptr, message.c_str());
  return nullptr;
}

bool ReadString(napi_env env, napi_value value, std::string *text) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return false;
  text->resize(length);
  return napi_get_value_string_utf8(env, value, &(*text)[0], length + 1, &length) == napi_ok;
}

// Finds the tensors that "node:index,node:index" names; false when a node is missing.
bool FindTensors(TF_Graph *graph, const std::string &names, std::vector<TF_Output> *found) {
  std::istringstream list(names);
  for (std::string name; std::getline(list, name, ',');) {
    const size_t colon = name.find(':');
    TF_Operation *node = TF_GraphOperationByName(graph, name.substr(0, colon).c_str());
    if (node == nullptr || colon == std::string::npos) return false;
    found->push_back(TF_Output{node, std::atoi(name.c_str() + colon + 1)});
  }
  return true;
}

napi_value AddFunction(napi_env env, napi_callback_info info) {
  size_t count = 4;
  napi_value arguments[4];
  std::string name, inputs, outputs;
  napi_typedarray_type type;
  size_t bytes;
  void *graph_def;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr) != napi_ok || count != 4 ||
      !ReadString(env, arguments[0], &name) || !ReadString(env, arguments[2], &inputs) ||
      !ReadString(env, arguments[3], &outputs) ||
      napi_get_typedarray_info(env, arguments[1], &type, &bytes, &graph_def, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array) {
    return Throw(env, "addFunction takes a name, a Uint8Array and two strings");
  }
  tfnodejs::TFJSBackend *backend = tfnodejs::GetTFJSBackend(env);
  if (backend == nullptr) return nullptr;

  Status result;
  Graph graph;
  TF_Buffer *buffer = TF_NewBufferFromString(graph_def, bytes);
  TF_ImportGraphDefOptions *options = TF_NewImportGraphDefOptions();
  TF_GraphImportGraphDef(graph.graph, buffer, options, result.status);
  TF_DeleteImportGraphDefOptions(options);
  TF_DeleteBuffer(buffer);
  if (!result.ok()) return Throw(env, std::string("the graph cannot be read: ") + TF_Message(result.status));

  std::vector<TF_Output> from, to;
  if (!FindTensors(graph.graph, inputs, &from) || !FindTensors(graph.graph, outputs, &to))
    return Throw(env, "an input or output is not in the graph");
  TF_Function *function =
      TF_GraphToFunction(graph.graph, name.c_str(), /*append_hash_to_fn_name=*/0, /*num_opers=*/-1, nullptr,
                         static_cast<int>(from.size()), from.data(), static_cast<int>(to.size()), to.data(),
                         nullptr, nullptr, nullptr, result.status);
  if (!result.ok()) return Throw(env, std::string("the graph makes no function: ") + TF_Message(result.status));
  TFE_ContextAddFunction(TFE_ContextOf(backend), function, result.status);
  TF_DeleteFunction(function);
  if (!result.ok()) return Throw(env, std::string("the function was refused: ") + TF_Message(result.status));
  return nullptr;
}

napi_value RemoveFunction(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  std::string name;
  if (napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr) != napi_ok || count != 1 ||
      !ReadString(env, argument, &name)) {
    return Throw(env, "removeFunction takes a name");
  }
  tfnodejs::TFJSBackend *backend = tfnodejs::GetTFJSBackend(env);
  if (backend == nullptr) return nullptr;
  Status result;
  TFE_ContextRemoveFunction(TFE_ContextOf(backend), name.c_str(), result.status);
  if (!result.ok()) return Throw(env, std::string("no such function: ") + TF_Message(result.status));
  return nullptr;
}

napi_value Initialise(napi_env env, napi_value exports) {
  exports = tfnodejs::InitTFNodeJSBinding(env, exports);
  if (exports == nullptr) return nullptr;
  const napi_property_descriptor functions[] = {
      {"addFunction", nullptr, AddFunction, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"removeFunction", nullptr, RemoveFunction, nullptr, nullptr, nullptr, napi_default, nullptr},
  };
  if (napi_define_properties(env, exports, 2, functions) != napi_ok)
    return Throw(env, "the binding's functions cannot be defined");
  return exports;
}

}  // namespace

NAPI_MODULE_INIT() { return Initialise(env, exports); }
