(class_definition name: (identifier) @name) @definition.class
(object_definition name: (identifier) @name) @definition.class
(trait_definition name: (identifier) @name) @definition.interface
(enum_definition name: (identifier) @name) @definition.type
(package_object name: (identifier) @name) @definition.module
(function_definition name: (identifier) @name) @definition.function
(function_declaration name: (identifier) @name) @definition.function
(type_definition name: (type_identifier) @name) @definition.type
(given_definition name: (identifier) @name) @definition.constant
(template_body (val_definition pattern: (identifier) @name) @definition.constant)
(call_expression function: (identifier) @reference.call)
(call_expression function: (field_expression field: (identifier) @reference.method))
(call_expression function: (generic_function function: (identifier) @reference.call))
(call_expression function: (generic_function function: (field_expression field: (identifier) @reference.method)))
(instance_expression (type_identifier) @reference.call)
(infix_expression operator: (identifier) @reference.method)
(type_identifier) @reference.type
(import_declaration) @import
