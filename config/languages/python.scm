(function_definition name: (identifier) @name) @definition.function
(class_definition name: (identifier) @name) @definition.class
(module (expression_statement (assignment left: (identifier) @name)) @definition.constant)
(call function: (identifier) @reference.call)
(call function: (attribute attribute: (identifier) @reference.method))
(class_definition superclasses: (argument_list (identifier) @reference.type))
(type (identifier) @reference.type)
(decorator (identifier) @reference.call)
(import_statement name: (dotted_name) @import)
(import_statement name: (aliased_import name: (dotted_name) @import))
(import_from_statement) @import
