// Keys of the types that are databases. (conductor-integrations.md 8.2, 8.4)
#pragma once

#include <openindex/provider/provider_catalog.hpp>

namespace openindex::providers::catalog {

inline constexpr ProviderKey database_user = {.name = "user", .required = true};
inline constexpr ProviderKey database_password = {.name = "password", .required = true, .secret = true};
inline constexpr ProviderKey database_url = {.name = "datasourceURL", .required = true, .form = KeyForm::jdbc_url};
inline constexpr ProviderKey pool_size = {.name = "connectionPoolSize", .form = KeyForm::count};
inline constexpr ProviderKey dimensions = {.name = "dimensions", .required = true, .form = KeyForm::count};

inline constexpr ProviderKey relational_db[] = {
    {.name = "jdbcDriver", .required = true}, database_user, database_password, database_url, pool_size};

inline constexpr std::string_view postgres_distances[] = {
    "Cosine Similarity", "Euclidean Distance", "Inner Product", "cosine", "l2", "inner_product"};
inline constexpr std::string_view postgres_indexes[] = {"hnsw", "ivfflat"};
inline constexpr KeyCondition with_lists[] = {{"indexing_method", {"ivfflat"}}};

inline constexpr ProviderKey pgvectordb[] = {
    database_user,
    database_password,
    database_url,
    dimensions,
    {.name = "distance_metric", .required = true, .choices = postgres_distances, .open = true},
    {.name = "indexing_method", .required = true, .choices = postgres_indexes},
    {.name = "inverted_list_count", .fallback = "100", .form = KeyForm::count, .when = with_lists},
    pool_size,
};

inline constexpr std::string_view mongo_distances[] = {"Cosine", "Euclidean", "Dot Product"};

inline constexpr ProviderKey mongovectordb[] = {
    {.name = "endpoint", .required = true, .secret = true, .form = KeyForm::mongo_url},
    {.name = "namespace", .required = true},
    dimensions,
    {.name = "distance_metric", .required = true, .choices = mongo_distances, .open = true},
    {.name = "inverted_list_count", .form = KeyForm::count},
};

// The name of the project is in the host names of its indexes, which a test reads: nobody has to look it up.
inline constexpr ProviderKey pineconedb[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "projectName"},
    {.name = "environment", .required = true},
    {.name = "endpoint", .fallback = "https://api.pinecone.io", .form = KeyForm::url},
};

inline constexpr ProviderKey weaviatedb[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "endpoint", .required = true, .form = KeyForm::url},
};

}  // namespace openindex::providers::catalog
