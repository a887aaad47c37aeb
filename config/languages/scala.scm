(class_definition name: (identifier) @name) @definition.class
(object_definition name: (identifier) @name) @definition.class
(trait_definition name: (identifier) @name) @definition.interface
(function_definition name: (identifier) @name) @definition.function
(function_declaration name: (identifier) @name) @definition.function
(type_definition name: (type_identifier) @name) @definition.type
(call_expression function: (identifier) @reference.call)
(call_expression function: (field_expression field: (identifier) @reference.method))
(type_identifier) @reference.type
(import_declaration) @import
